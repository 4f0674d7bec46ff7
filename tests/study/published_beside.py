"""Two questions that published scores do not answer: workers against models, and what new words do."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from flows.report.formatting import count, interval, plain, signed
from tests.study.published_audits import ENCODER, LINEAR, REPEATED_WORDS
from tests.study.published_scores import difference
from tests.study.published_sets import DIMENSIONS, HYPERBOLE, KINIT, KNOWN_WORDS, WORKERS, ZERO_SHOT
from tests.study.published_tables import NOTHING, SHORT, Row, difference_words, effect_words, table

ABOVE, UNDER = "apart, workers above", "apart, workers below"
ALL_SPLITS = "seed and train"


def workers_table(audits: pd.DataFrame) -> str:
    """The files of models beside the file of workers: scores with the same seeds, and effects."""
    files = ("Corpus", "Classifier", "File", "Accepted", "Score", "Twin's", "Effect [95 %]", "Verdict")
    head = (*files, "Workers' score above it by", "Intervals of the effects")
    rows = []
    for corpus, family, found in _with_workers(audits):
        for name, row in found.items():
            shown = effect_words(row["effect"], row["low"], row["high"])
            numbers = (count(row["accepted"]), plain(row["score"]), plain(row["twin"]), shown)
            beside = (NOTHING, NOTHING)
            if name != WORKERS:
                beside = (signed(found[WORKERS]["score"] - row["score"]), _apart(found[WORKERS], row))
            rows.append((SHORT[corpus], f"`{family}`", name, *numbers, str(row["verdict"]), *beside))
    return table(head, rows)


def workers_line(audits: pd.DataFrame) -> str:
    """Count in how many audits the workers' documents do better than a model's."""
    pairs = [
        (found[WORKERS], row)
        for _, _, found in _with_workers(audits)
        for name, row in found.items()
        if name != WORKERS
    ]
    higher = sum(workers["score"] > row["score"] for workers, row in pairs)
    lower = sum(workers["score"] < row["score"] for workers, row in pairs)
    apart = [_apart(workers, row) for workers, row in pairs]
    return (
        f"the workers' documents score higher than a model's in {higher} of {len(pairs)} pairs and lower in {lower}; "
        f"the intervals of the two effects are apart with the workers above in {apart.count(ABOVE)} "
        f"and below in {apart.count(UNDER)}"
    )


def together_line(audits: pd.DataFrame) -> str:
    """Say what files of models add where the workers' documents are all among the real ones."""
    together = audits[audits["draw"] == ALL_SPLITS].to_dict("records")
    said = [
        f"{row['file']} {effect_words(row['effect'], row['low'], row['high'])}, {row['verdict']}"
        for row in together
    ]
    number = count(together[0]["real"]) if together else NOTHING
    return f"With the workers' documents all among the real ones, {number} of hypo-l: {'; '.join(said)}."


def _with_workers(audits: pd.DataFrame) -> Iterable[tuple[str, str, dict[str, Row]]]:
    chosen = audits[audits["corpus"].isin((HYPERBOLE, DIMENSIONS))]
    for (corpus, _, family), part in chosen.groupby(["corpus", "draw", "family"], sort=False):
        found: dict[str, Row] = {str(row["file"]): row for row in part.to_dict("records")}
        if WORKERS in found:
            yield str(corpus), str(family), found


def _apart(workers: Row, other: Row) -> str:
    if workers["low"] > other["high"]:
        return ABOVE
    return UNDER if workers["high"] < other["low"] else "touch"


class Step(NamedTuple):
    """What is audited, in words, and the twins' scores and effects of every draw, as means over the files."""

    classifier: str
    words: str
    twins: tuple[float, ...]
    effects: tuple[float, ...]


def steps(audits: pd.DataFrame) -> list[Step]:
    """Return the same zero-shot files by what the classifier may know of their words."""
    everything = "all"
    asked = (
        (REPEATED_WORDS.name, KINIT, everything),
        (LINEAR.name, KINIT, everything),
        (LINEAR.name, KNOWN_WORDS, "those of the real documents"),
        (ENCODER.name, KINIT, everything),
    )
    return [_step(audits, *one) for one in asked]


def _step(audits: pd.DataFrame, classifier: str, corpus: str, words: str) -> Step:
    of_family = audits[(audits["family"] == classifier) & (audits["corpus"] == corpus)]
    means = of_family[of_family["file"].str.endswith(ZERO_SHOT)].groupby("draw")[["twin", "effect"]].mean()
    return Step(classifier, words, tuple(means["twin"]), tuple(means["effect"]))


def words_table(found: Sequence[Step]) -> str:
    """The steps with a t interval over draws, and how far each is below the first."""
    head = (
        "Classifier",
        "Words of the files",
        "Twins' scores",
        "Mean effect of the six files [95 %]",
        "Less than the first by [95 %]",
        "n",
    )
    rows = []
    for step in found:
        mean = difference(step.effects)
        less = difference([first - own for first, own in zip(found[0].effects, step.effects, strict=True)])
        below = NOTHING if step is found[0] else difference_words(less)
        twins = interval(min(step.twins), max(step.twins), sign=False)
        shown = (twins, difference_words(mean), below, str(mean.draws))
        rows.append((f"`{step.classifier}`", step.words, *shown))
    return table(head, rows)


def words_line(found: Sequence[Step]) -> str:
    """Say what is left of the effect where no file may bring a word that its twin cannot learn."""
    repeated, every_word, same_words, _ = (difference(step.effects) for step in found)
    told = "which cannot be told from zero" if same_words.sign == 0 else "which leaves zero out"
    return (
        f"Of the mean effect of {difference_words(every_word)} under `{LINEAR.name}`, {difference_words(same_words)}, "
        f"{told}, is left where files may bring no word that the real documents lack; with `min_df` 2, which holds back "
        f"words that copies repeat and rewordings free, it is {difference_words(repeated)}"
    )
