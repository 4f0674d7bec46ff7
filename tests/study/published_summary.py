"""The first screen of the page: what agrees with what was published, and what does not."""

from collections.abc import Iterable, Sequence

import pandas as pd

from flows.report.formatting import listed, plural
from tests.study.published_scores import Comparison
from tests.study.published_tables import (
    OUTCOMES,
    SHORT,
    Comparisons,
    difference_words,
    matter,
    table,
)

# Outcomes in which a direction can be named on one side at least.
LISTED = {
    "agree": "Both leave zero out, on the same side",
    "disagree": "Both leave zero out, on opposite sides",
    "only published": "Only theirs leaves zero out, and our estimate lies on the other side of it",
    "only here": "Only ours leaves zero out, and their estimate lies on the other side of it",
}


def agreement(comparisons: Comparisons) -> str:
    """Say of all comparisons together how many agree."""
    found = [one for part in comparisons.values() for one in part]
    counts = {outcome: sum(one.outcome == outcome for one in found) for outcome in OUTCOMES}
    unsure = counts["only published"] + counts["only here"] + counts["neither"]
    return (
        f"Of {plural(len(found), 'comparison')} with published scores, the two estimates are on the same side of "
        f"zero in {sum(map(_same_side, found))}. In {counts['agree'] + counts['disagree']} both 95 % intervals leave "
        f"zero out: {counts['agree']} agree in sign, {counts['disagree']} disagree. In the other {unsure} one side "
        "or both cannot tell their sign, which is neither agreement nor disagreement."
    )


def agreement_table(comparisons: Comparisons) -> str:
    """One line per corpus, classifier and question: how many comparisons ended how."""
    head = ("Corpus", "Classifier", "Question", "Comparisons", "Same side of zero", *OUTCOMES.values())
    rows = []
    for (corpus, family), found in comparisons.items():
        for question in dict.fromkeys(one.question for one in found):
            chosen = [one for one in found if one.question == question]
            counts = [sum(one.outcome == outcome for one in chosen) for outcome in OUTCOMES]
            numbers = map(str, (len(chosen), sum(map(_same_side, chosen)), *counts))
            rows.append((SHORT[corpus], f"`{family}`", question, *numbers))
    return table(head, rows)


def notable(comparisons: Comparisons) -> str:
    """Name the comparisons that agree or disagree, and those that point apart."""
    lines = [line for outcome in LISTED for line in _listed(comparisons, outcome)]
    return "\n".join(lines)


def _listed(comparisons: Comparisons, outcome: str) -> Iterable[str]:
    chosen = [
        (corpus, family, one)
        for (corpus, family), found in comparisons.items()
        for one in found
        if one.outcome == outcome and (outcome in ("agree", "disagree") or not _same_side(one))
    ]
    yield f"* {LISTED[outcome]}: {len(chosen) or 'none'}"
    for corpus, family, one in chosen:
        there, here = difference_words(one.published), difference_words(one.ours)
        yield f"    * {SHORT[corpus]}, `{family}`, {matter(one)}: theirs {there}, ours {here}"


def _same_side(one: Comparison) -> bool:
    return (one.published.mean or 0.0) * (one.ours.mean or 0.0) > 0


def families_line(audits: pd.DataFrame, families: Sequence[str]) -> str:
    """Say what two classifiers make of the same files."""
    chosen = audits[audits["family"].isin(families)]
    verdicts = chosen.pivot(index=["corpus", "draw", "file"], columns="family", values="verdict").dropna()
    if len(verdicts.columns) < len(families):
        return ""
    said = []
    for family in families:
        counts = verdicts[family].value_counts()
        said.append(f"`{family}` says {listed([f'{word} of {n}' for word, n in counts.items()])}")
    return f"Of the same {plural(len(verdicts), 'file')}, {'; '.join(said)}."


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
    return f"zero-shot paraphrases against label-conditioned files: {'; '.join(said)}"
