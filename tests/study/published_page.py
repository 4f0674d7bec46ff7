"""The page on published corpora: tables from numbers, sentences from tables."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from flows.report.formatting import count, interval, listed, percent, plain, plural, signed
from tests.study import published_words as words
from tests.study.published_scores import Comparison, Difference
from tests.study.published_sets import (
    AUGCMP,
    DIMENSIONS,
    HYPERBOLE,
    KINIT,
    MOST_TESTED,
    SEED,
    SEEDS_PER_CLASS,
    TEXTS_PER_SEED,
)

Row = Mapping[Hashable, Any]
Comparisons = Mapping[tuple[str, str], Sequence[Comparison]]

SHORT = {KINIT: "kinit", AUGCMP: "augcmp", HYPERBOLE: "parrot hypo-l", DIMENSIONS: "parrot ten-dim"}
OUTCOMES = {
    "agree": "agree",
    "disagree": "**disagree**",
    "only published": "only theirs leaves zero out",
    "only here": "only ours leaves zero out",
    "neither": "neither leaves zero out",
}
LINEAR = "tfidf_linear"


def page(
    audits: pd.DataFrame, contrasts: pd.DataFrame, comparisons: Comparisons, lacking: Sequence[str] = ()
) -> str:
    """Return the page as Markdown; `lacking` names planned audits that were not run."""
    parts = [
        words.HEAD.format(files=len(audits), audits=len(audits.groupby(["corpus", "draw", "family"]))),
        sets_table(audits),
        f"Planned and not run for this page: {'; '.join(lacking)}."
        if lacking
        else "Every planned audit was run.",
        *answer(audits, comparisons),
        strategies_of_design(contrasts),
        words.KINIT_HEAD,
        *(compared_tables(comparisons, KINIT)),
        words.AUGCMP_HEAD.format(seeds=SEEDS_PER_CLASS, texts=TEXTS_PER_SEED),
        *(compared_tables(comparisons, AUGCMP)),
        words.DESIGN_HEAD,
        contrasts_table(contrasts),
        contrasts_read(contrasts),
        words.CANNOT.format(most=MOST_TESTED, seed=SEED, most_rejected=_most_rejected(audits)),
        words.AUDITS_HEAD,
        *audits_tables(audits),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _most_rejected(audits: pd.DataFrame) -> str:
    worst = (audits["rejected"] / audits["requested"]).max()
    return percent(worst, 1.0)


def sets_table(audits: pd.DataFrame) -> str:
    """One line per corpus and real documents: how many there are of what."""
    head = ("Corpus", "Real documents from", "Real", "Test", "Files", "Rows", "Accepted", "Families")
    rows = []
    for (corpus, source), part in audits.groupby(["corpus", _source(audits)], sort=False):
        linear = part[part["family"] == LINEAR]
        tested = f"{count(part['tested'].max())} of {count(part['official'].iloc[0])}"
        counts = (count(part["real"].max()), tested, count(len(linear)))
        sums = (count(linear["requested"].sum()), count(linear["accepted"].sum()))
        rows.append((SHORT[str(corpus)], str(source), *counts, *sums, listed(list(part["family"].unique()))))
    return table(head, rows)


def answer(audits: pd.DataFrame, comparisons: Comparisons) -> Iterable[str]:
    """Say what agrees, what does not, and what cannot be said."""
    yield "## What agrees, and what does not"
    for (corpus, family), found in comparisons.items():
        yield "\n".join([f"**{SHORT[corpus]}, {family}**, {_counted(found)}:", "", *_outcome_lines(found)])
    yield verdict_lines(audits)


def strategies_of_design(contrasts: pd.DataFrame) -> str:
    """Say for how many models the design has paraphrases above documents written from the label alone."""
    declared = contrasts[contrasts["declared"]].set_index("generator")
    models = sorted({str(name).split("_")[0] for name in declared.index})
    said = []
    for model in models:
        one, other = declared.loc[f"{model}_paraphrase"], declared.loc[f"{model}_label_conditioned"]
        apart = one["low95"] > other["high95"] or other["low95"] > one["high95"]
        side = "above" if one["effect"] > other["effect"] else "below"
        said.append(f"{model} {side}, intervals {'apart' if apart else 'touching'}")
    return f"Through the design, zero-shot paraphrases against label-conditioned files: {'; '.join(said)}."


def _counted(found: Sequence[Comparison]) -> str:
    alike = sum((c.published.mean or 0) * (c.ours.mean or 0) > 0 for c in found)
    comparisons = plural(len(found), "comparison")
    return f"{comparisons}, the two estimates on the same side of zero in {alike}"


def _outcome_lines(found: Sequence[Comparison]) -> Iterable[str]:
    for outcome, said in OUTCOMES.items():
        chosen = [c for c in found if c.outcome == outcome]
        named = "" if outcome == "neither" else "".join(f"\n    * {_named(c)}" for c in chosen)
        if chosen or outcome in ("agree", "disagree"):
            yield f"* {said}: {len(chosen)}{named}"


def _named(one: Comparison) -> str:
    there, here = _difference(one.published), _difference(one.ours)
    return f"{one.question}, {one.first} against {one.second}: theirs {there}, ours {here}"


def verdict_lines(audits: pd.DataFrame) -> str:
    """Count the verdicts of this file by corpus, source and family."""
    lines = ["Verdicts of *this file* against its row twin, of the audits below:", ""]
    for (corpus, source, family), part in audits.groupby(["corpus", _source(audits), "family"], sort=False):
        counts = part["verdict"].value_counts()
        said = listed([f"{word} {number}" for word, number in counts.items()])
        effects = interval(part["effect"].min(), part["effect"].max())
        lines.append(
            f"* {SHORT[str(corpus)]}, {source}, {family}: {said}, of {plural(len(part), 'file')}; "
            f"effects from {effects}, each with its interval below"
        )
    return "\n".join([*lines, "", _families_line(audits)])


def _families_line(audits: pd.DataFrame) -> str:
    """Say what the classifier family makes of the same files."""
    verdicts = audits.pivot(index=["corpus", "draw", "file"], columns="family", values="verdict").dropna()
    said = [
        f"{family} says {listed([f'{verdict} of {n}' for verdict, n in verdicts[family].value_counts().items()])}"
        for family in verdicts.columns
        if len(verdicts.columns) > 1
    ]
    both = plural(len(verdicts), "file")
    return f"A verdict is one of a classifier family: of the same {both}, {'; '.join(said)}." if said else ""


def compared_tables(comparisons: Comparisons, corpus: str) -> Iterable[str]:
    """The comparisons of one corpus, a table for each family."""
    head = ("Question", "First", "Second", "Published [95 %]", "n", "Ours [95 %]", "n", "")
    for (name, family), found in comparisons.items():
        if name == corpus:
            rows = [(c.question, c.first, c.second, *_both(c), OUTCOMES[c.outcome]) for c in found]
            yield f"### {SHORT[corpus]}, {family}"
            yield table(head, rows)


def _both(one: Comparison) -> tuple[str, ...]:
    sides = (one.published, one.ours)
    return tuple(cell for side in sides for cell in (_difference(side), str(side.draws)))


def contrasts_table(contrasts: pd.DataFrame) -> str:
    """The design's contrasts; a gain over real only stands beside the gain over the row twin."""
    head = ("Generator", "Against", "Effect [95 %]", "Verdict", "Replicates", "Test families")
    kinds = ("gain_vs_control", "gain_vs_real", "gain_vs_resampled", "ceiling")
    rows = []
    for row in _ordered(contrasts, kinds).to_dict("records"):
        against = (
            f"{row['control'].split(':')[0]} (declared)" if row["declared"] else row["control"].split(":")[0]
        )
        numbers = (str(row["replicate_count"]), count(row["test_family_count"]))
        name = row["generator"] or row["arm"]
        rows.append(
            (name, against, _effect(row["effect"], row["low95"], row["high95"]), row["verdict"], *numbers)
        )
    return table(head, rows)


def contrasts_read(contrasts: pd.DataFrame) -> str:
    """Say what the declared contrasts order, where intervals do not touch."""
    declared = contrasts[contrasts["declared"]].sort_values("effect", ascending=False)
    order = [f"{row['generator']} ({signed(row['effect'])})" for row in declared.to_dict("records")]
    apart = [
        f"{one['generator']} above {other['generator']}"
        for one in declared.to_dict("records")
        for other in declared.to_dict("records")
        if one["low95"] > other["high95"]
    ]
    said = listed(apart) if apart else "none: no two intervals are apart"
    return f"By effect against the row twin: {listed(order)}. Pairs whose intervals do not touch: {said}."


def _ordered(contrasts: pd.DataFrame, kinds: Sequence[str]) -> pd.DataFrame:
    chosen = contrasts[contrasts["kind"].isin(kinds) & (contrasts["score"] == "micro_f1")]
    return chosen.assign(place=chosen["kind"].map(kinds.index)).sort_values(
        ["generator", "place"], kind="stable"
    )


def audits_tables(audits: pd.DataFrame) -> Iterable[str]:
    """Every audited file, by corpus and family."""
    first = ("Draw", "File", "Real", "Accepted / rejected", "This file [95 %]", "Verdict", "Test")
    head = (*first, "This generator [95 %]", "Verdict", "Real, synthetic", "Worth [95 %]")
    for (corpus, family), part in audits.groupby(["corpus", "family"], sort=False):
        yield f"### Audits of {SHORT[str(corpus)]}, {family}"
        yield table(head, [_audit_cells(row) for row in part.to_dict("records")])


def _audit_cells(row: Row) -> tuple[str, ...]:
    return (
        str(row["draw"]),
        str(row["file"]),
        count(row["real"]),
        f"{count(row['accepted'])} / {count(row['rejected'])}",
        _effect(row["effect"], row["low"], row["high"]),
        str(row["verdict"]),
        count(row["tested"]),
        _effect(row["generator_effect"], row["generator_low"], row["generator_high"]),
        str(row["generator_verdict"]),
        f"{count(row['generator_real'])}, {count(row['generator_synthetic'])}",
        _worth(row),
    )


def _worth(row: Row) -> str:
    if pd.isna(row["worth_cap"]):
        return "no ruler"
    cap = plain(row["worth_cap"], 0)
    low = "less than none" if pd.isna(row["worth_low"]) else plain(row["worth_low"], 0)
    high = f"more than {cap}" if pd.isna(row["worth_high"]) else plain(row["worth_high"], 0)
    if row["worth_beyond"] or row["worth_below"]:
        middle = f"more than {cap}" if row["worth_beyond"] else "less than none"
    else:
        middle = plain(row["worth"], 0)
    return f"{middle} [{low} to {high}]"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _effect(effect: object, low: object, high: object) -> str:
    return f"{signed(effect)} [{interval(low, high)}]"


def _difference(one: Difference) -> str:
    return _effect(one.mean, one.low, one.high) if one.draws else "not published"


def _source(audits: pd.DataFrame) -> pd.Series:
    """What the real documents are: draws are alike, splits are not."""
    return audits["draw"].where(~audits["draw"].str.startswith("draw "), "draws of seeds").rename("source")
