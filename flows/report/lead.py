"""The answer in one line, for a reader who knows no statistics."""

from flows.report.claims import Claim, Finding
from flows.report.formatting import listed, plural, score_name
from flows.report.inputs import THIS_FILE, THIS_GENERATOR, AuditedFile, AuditInput, ReportInput
from flows.report.page import Sentence
from flows.report.queries import (
    Row,
    arm_label,
    beyond_half,
    control_label,
    declared,
    gains,
    headline,
    primary_score,
    tag,
)

NAME = "in_short"

# No word here says more than the verdict beside it.
OUTCOMES = (
    (("better",), "trained a better classifier than the control"),
    (("worse",), "trained a worse classifier than the control"),
    (("equivalent", "negligible"), "made no difference that matters"),
    (("inconclusive",), "left it open whether there is a difference that matters"),
)
UNJUDGED = "could not be judged"
SUBJECTS = {
    THIS_FILE: "{file} as it stands",
    THIS_GENERATOR: "its generator, as far as smaller draws beside these real documents show,",
}
# For a study without any contrast.
OTHER_CONTROL = "The control of a corpus is a training set of the same size without it."
TWIN = "The control is the same real documents, repeated to the same number."
SCALE = "Scores ({score}) run from 0, nothing right, to 1, everything right."


def outcome(verdict: str) -> str:
    """What a verdict says of its subject, in the past tense, so that it fits one and many."""
    return next((words for verdicts, words in OUTCOMES if verdict in verdicts), UNJUDGED)


def audit_lead(found: AuditInput) -> Sentence:
    """The verdicts of an audit; files that came out alike share a clause."""
    alike: dict[tuple[str, ...], list[AuditedFile]] = {}
    for entry in found.files:
        alike.setdefault(tuple(outcome(reading.verdict) for reading in entry.readings), []).append(entry)
    clauses = ". Of ".join(_clause(entries) for entries in alike.values())
    text = f"In short: of {clauses}. {TWIN} {SCALE.format(score=score_name(found.score))}"
    return Sentence(NAME, text, "the verdicts below")


def _clause(entries: list[AuditedFile]) -> str:
    names, file = listed([entry.name for entry in entries]), "the file" if len(entries) == 1 else "each file"
    said = [(reading.title, outcome(reading.verdict)) for reading in entries[0].readings]
    subjects = [SUBJECTS.get(title, title).format(file=file) for title, _ in said]
    if len(said) == 2 and said[0][1] == said[1][1]:
        return f"{names}, {' and '.join(subjects)} {said[0][1]}"
    parts = [f"{subject} {words}" for subject, (_, words) in zip(subjects, said, strict=True)]
    return f"{names}, {'; '.join(parts)}"


def study_lead(tables: ReportInput) -> Finding:
    """The declared claims, by what came of them."""
    claims, scope = declared(tables), headline(tables)
    words: dict[str, object] = {
        "control": _control(claims or gains(tables)),
        "scale": SCALE.format(score=score_name(primary_score(tables))),
    }
    if not claims or scope is None:
        return Finding("not_run" if tables.design.get("declared") else "none", words)
    reminder, made_up = tag(tables), tables.design.get("dataset_is_simulated")
    words |= {
        "total": plural(len(claims), "synthetic corpus", "synthetic corpora"),
        "reminder": f" ({reminder})" if reminder else "",
        "real": f"{scope.regime:,} {'real documents (simulated themselves)' if made_up else 'real documents'}",
        "outcomes": _outcomes(claims),
        "given": _given(tables, claims),
    }
    return Finding("claims", words)


LEAD = Claim(
    NAME,
    "contrasts where declared",
    {
        "claims": "In short: of {total} tested{reminder}, each added to {real}, {outcomes}.{given} {control} {scale}",
        "not_run": "In short: what this study claimed beforehand was not tested, so it does not say whether synthetic "
        "text helps. {control} {scale}",
        "none": "In short: this study claimed nothing beforehand, so it gives no verdict on whether synthetic text "
        "helps. {control} {scale}",
    },
    study_lead,
)


def _outcomes(claims: list[Row]) -> str:
    names: dict[str, list[str]] = {words: [] for words in (*(said for _, said in OUTCOMES), UNJUDGED)}
    for row in claims:
        names[outcome(str(row["verdict"]))].append(arm_label(row))
    return listed([f"{len(found)} {words} ({listed(found)})" for words, found in names.items() if found])


def _given(tables: ReportInput, claims: list[Row]) -> str:
    fixed = [arm_label(row) for row in claims if row["conditional"]]
    words = f" For {listed(fixed)} this holds for these training sets alone." if fixed else ""
    kept = any(beyond_half(tables, row["regime"]) for row in claims)
    return f"{words} It holds for these real documents alone." if kept else words


def _control(contrasts: list[Row]) -> str:
    names = sorted({control_label(row) for row in contrasts})
    if names == ["row_twin"]:
        return TWIN
    return f"The controls are {listed(names)}, as named beside each number." if names else OTHER_CONTROL
