"""The answer in five sentences."""

from collections.abc import Sequence

from flows.report.claims import Claim, Finding
from flows.report.formatting import listed, missing, plural, score_name
from flows.report.inputs import ReportInput
from flows.report.queries import (
    Row,
    Scope,
    arm_label,
    beyond_half,
    condition_of,
    control_label,
    declared,
    gains,
    headline,
    primary_score,
    regimes,
    rows,
    tag,
    within,
)
from flows.report.wording import (
    ON_REAL_DOCUMENTS,
    ON_TRAINING_SETS,
    above_zero,
    below_zero,
    effect_words,
    judged_worth,
)

VERDICT_PHRASES = (
    ("better", "better than its control: {0}", "better than their controls: {0}"),
    ("worse", "worse: {0}", "worse: {0}"),
    ("equivalent", "equivalent to its control: {0}", "equivalent to their controls: {0}"),
    ("negligible", "different by a negligible amount: {0}", "different by negligible amounts: {0}"),
    ("inconclusive", "inconclusive: {0}", "inconclusive: {0}"),
    ("not tested", "not tested: {0}", "not tested: {0}"),
)


def verdicts(tables: ReportInput) -> Finding:
    claims = declared(tables)
    scope = headline(tables)
    if not claims or scope is None:
        promised = tables.design.get("declared") or ()
        return Finding("not_run", {"total": plural(len(promised), "claim")}) if promised else Finding("none")
    parts = [_verdict_phrase(verdict, one, many, claims) for verdict, one, many in VERDICT_PHRASES]
    reminder = tag(tables)
    return Finding(
        "claims",
        {
            "total": plural(len(claims), "declared claim"),
            "regime": f"{scope.regime:,}",
            "family": scope.family,
            "replicates": plural(max(int(row["replicate_count"]) for row in claims), "replicate"),
            "reminder": f" ({reminder})" if reminder else "",
            "conditional": _conditional(tables, claims),
        },
        tuple(part for part in parts if part),
    )


def volume(tables: ReportInput) -> Finding:
    scope = headline(tables)
    raw = within(gains(tables, "gain_vs_real"), scope) if scope else []
    if scope is None:
        return Finding("none")
    controlled = {(row["generator"], row["arm"]): row for row in within(gains(tables), scope)}
    keyed = [(row, controlled.get((row["generator"], row["arm"]))) for row in raw]
    pairs = [(row, treated) for row, treated in keyed if treated is not None]
    if not pairs:
        return Finding("none")
    risen = [pair for pair in pairs if above_zero(pair[0])]
    only_volume = [arm_label(treated) for _, treated in risen if not above_zero(treated)]
    words = {
        "total": plural(len(pairs), "synthetic corpus", "synthetic corpora"),
        "risen": len(risen),
        "kept": len(risen) - len(only_volume),
        "names": listed(only_volume),
        "score": score_name(primary_score(tables)),
        "regime": f"{scope.regime:,}",
        "conditional": _given(tables, scope.regime),
    }
    return Finding("volume" if only_volume else ("all_kept" if risen else "none_risen"), words)


def worth(tables: ReportInput) -> Finding:
    better = [row for row in declared(tables) if row["verdict"] == "better"]
    if not better:
        return Finding("none")
    rulers = {(r["generator"], r["regime"], r["classifier_family"]): r for r in rows(tables.worths)}
    found = [(r, rulers.get((r["generator"], r["regime"], r["classifier_family"]))) for r in better]
    return Finding(
        "worth", {"phrases": "; ".join(f"{arm_label(r)} {judged_worth(w, 'better')}" for r, w in found)}
    )


def more_real_data(tables: ReportInput) -> Finding:
    scope = headline(tables)
    every = [row for row in gains(tables) if scope and row["classifier_family"] == scope.family]
    sizes = regimes(every)
    if scope is None or len(sizes) < 2:
        return Finding("none")
    first, last = within(every, scope), within(every, Scope(sizes[-1], scope.family))
    names = {row["generator"] for row in declared(tables) if row["verdict"] == "better"}
    tested = {row["generator"] for row in last}
    moves = [_move(row, last) for row in first if row["generator"] in names & tested]
    words = {
        "high": f"{sizes[-1]:,}",
        "above": sum(above_zero(row) for row in last),
        "total": plural(len(last), "corpus", "corpora"),
        "family": scope.family,
        "moves": "; ".join(moves),
        "low": f"{scope.regime:,}",
        "conditional": _given(tables, sizes[-1]),
    }
    return Finding("moves" if moves and sizes[-1] != scope.regime else "count", words)


def retrieval(tables: ReportInput) -> Finding:
    table = tables.contrasts
    chosen = rows(table[(table["kind"] == "retrieval") & (table["reading"] == "real_only")])
    synthetic = [row for row in chosen if row["generator"] and condition_of(row["arm"]) == "synthesis"]
    known = [row for row in synthetic if row["score"].startswith("ndcg") and not missing(row["effect"])]
    alone = [row for row in known if control_label(row) == "real_only"]
    if not alone:
        return Finding("none")
    twins = [row for row in known if control_label(row) == "row_twin"]
    words = {
        "score": score_name(alone[0]["score"]),
        "range": _range(alone),
        "queries": plural(int(alone[0]["test_family_count"]), "query family", "query families"),
        "total": len(twins),
        "lower": sum(below_zero(row) for row in twins),
        "higher": sum(above_zero(row) for row in twins),
    }
    return Finding("controlled" if twins else "range", words)


ANSWER: Sequence[Claim] = (
    Claim(
        "verdicts",
        "contrasts where declared",
        {
            "claims": "Of {total} made before the run{reminder}, at {regime} real documents with {family} and "
            "{replicates}{conditional}:",
            "not_run": "Declared before the run: {total}; but the experiment that tests claims was not run, so nothing on "
            "this page carries a verdict.",
            "none": "No claim was declared before the run, so nothing on this page carries a verdict.",
        },
        verdicts,
    ),
    Claim(
        "volume",
        "contrasts of kind gain_vs_real and gain_vs_control at the headline regime and family",
        {
            "volume": "Over real data alone, {score} rises with {risen} of {total} at {regime} real documents{conditional}, but "
            "against a control of the same size {kept} of those {risen} remain (95 % intervals above zero, "
            "not "
            "corrected): for {names} no more than added volume is shown.",
            "all_kept": "Over real data alone, {score} rises with {risen} of {total} at {regime} real documents{conditional}, and "
            "against a control of the same size all of those remain (95 % intervals above zero, not "
            "corrected).",
            "none_risen": "Over real data alone, {score} is not shown to rise with any of {total} at {regime} real "
            "documents{conditional} (95 % intervals, not corrected).",
            "none": "Gains over real data alone and over a control of the same size were not both measured, so volume and "
            "content cannot be told apart here.",
        },
        volume,
    ),
    Claim(
        "worth",
        "worths of the generators whose declared verdict is better",
        {
            "worth": "In real documents: {phrases}.",
            "none": "No corpus has a declared verdict of better, so none is shown to be worth any further "
            "labelled documents.",
        },
        worth,
    ),
    Claim(
        "more_real_data",
        "contrasts of kind gain_vs_control in the headline family, smallest against largest regime",
        {
            "moves": "With more real data, from {low} to {high} documents, the gain against control goes {moves}; "
            "at {high}{conditional}, {above} of {total} measured there stand above zero (exploratory).",
            "count": "At the largest regime, {high} real documents{conditional}, the 95 % interval of the gain against control lies "
            "above zero for {above} of {total} measured there ({family}, exploratory).",
            "none": "Gains were not measured in two regimes, so this study does not say how they change with more real data.",
        },
        more_real_data,
    ),
    Claim(
        "retrieval",
        "contrasts of kind retrieval, reading real_only, nDCG",
        {
            "controlled": "In the search index, with real documents scored only, adding a synthetic corpus changes "
            "{score} {range}; against an index with copies of real documents in its place, {lower} of "
            "{total} are "
            "lower and {higher} higher ({queries}, exploratory).",
            "range": "In the search index, with real documents scored only, adding a synthetic corpus changes "
            "{score} {range} ({queries}, exploratory).",
            "none": "Retrieval with synthetic documents in the index was not measured in this study.",
        },
        retrieval,
    ),
)


def _verdict_phrase(verdict: str, one: str, many: str, claims: list[Row]) -> str:
    chosen = [row for row in claims if row["verdict"] == verdict]
    named = verdict in ("better", "worse")
    words = [f"{arm_label(row)}, {effect_words(row)}" if named else arm_label(row) for row in chosen]
    return (one if len(chosen) == 1 else many).format(listed(words)) if chosen else ""


def _conditional(tables: ReportInput, claims: list[Row]) -> str:
    fixed = [arm_label(row) for row in claims if row["conditional"]]
    whose = f" for {listed(fixed)}" if len(fixed) < len(claims) else ""
    words = [f"{ON_TRAINING_SETS}{whose}"] if fixed else []
    words += [ON_REAL_DOCUMENTS] if any(beyond_half(tables, row["regime"]) for row in claims) else []
    return f" ({'; '.join(words)})" if words else ""


def _given(tables: ReportInput, regime: int) -> str:
    return f" ({ON_REAL_DOCUMENTS})" if beyond_half(tables, regime) else ""


def _move(row: Row, last: list[Row]) -> str:
    end = next(other for other in last if other["generator"] == row["generator"])
    return f"from {effect_words(row)} to {effect_words(end)} for {arm_label(row)}"


def _range(contrasts: list[Row]) -> str:
    ordered = sorted(contrasts, key=lambda row: float(row["effect"]))
    ends = dict.fromkeys([0, len(ordered) - 1])
    words = [f"{effect_words(ordered[end])} for {arm_label(ordered[end])}" for end in ends]
    return f"by {words[0]}" if len(words) == 1 else f"by between {' and '.join(words)}"
