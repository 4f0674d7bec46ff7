"""What authors published of their corpora, and differences of it beside the same differences of ours."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from tests.study.published_sets import (
    AUGCMP,
    DRAWS,
    FEW_SHOT,
    KINIT,
    SEEDS_PER_CLASS,
    TEXTS_PER_SEED,
    ZERO_SHOT,
)

MODELS = ("mistral-7b-instruct-v0.3", "gemma-2-9b-it", "llama-3.1-8b-instruct")
CONDITIONED, PARAPHRASE = "label-conditioned", "paraphrase"
# The authors' names of folders and columns, as the provenance files explain them.
STRATEGY = {ZERO_SHOT: "baseline", FEW_SHOT: "random"}
MODE = {CONDITIONED: "gen", PARAPHRASE: "para"}
METHOD = {
    "paraphrase": "para",
    "word insertion": "ins",
    "word swap": "swap",
    "back-translation": "back",
    "contextual insertion (BERT)": "cont_ins",
    "contextual substitution (BERT)": "cont",
}
NONE = "none / clean"


class Difference(NamedTuple):
    """The mean of some differences with its 95 % t interval; None where there are fewer than two."""

    mean: float | None
    low: float | None
    high: float | None
    draws: int

    @property
    def sign(self) -> int:
        """1 or -1 where the interval leaves zero out, 0 otherwise."""
        if self.low is None or self.high is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)


class Pair(NamedTuple):
    """A question to two files, or to several pairs of files on average."""

    question: str
    first: str
    second: str
    files: tuple[tuple[str, str], ...]


class Comparison(NamedTuple):
    """Two files, or a file and none: the authors' difference beside ours."""

    question: str
    first: str
    second: str
    published: Difference
    ours: Difference

    @property
    def outcome(self) -> str:
        there, here = self.published.sign, self.ours.sign
        if there and here:
            return "agree" if there == here else "disagree"
        if there or here:
            return "only published" if there else "only here"
        return "neither"


def difference(values: Sequence[float]) -> Difference:
    """Return the mean with a t interval over values that count as independent draws."""
    found = np.asarray(values, dtype=np.float64)
    draws = len(found)
    if draws < 2:
        return Difference(float(found[0]) if draws else None, None, None, draws)
    half = float(stats.t.ppf(0.975, draws - 1) * found.std(ddof=1) / np.sqrt(draws))
    mean = float(found.mean())
    return Difference(mean, mean - half, mean + half, draws)


def kinit_scores(folder: Path) -> dict[tuple[str, int], float]:
    """Return mean F1 of fine-tuned BERT on in-distribution test documents, by file and draw."""
    table = pd.read_csv(folder / KINIT / "published_results.csv")
    chosen = {"evaluated_on": "in-distribution", "classifier": "bert", "metric": "f1", "method": "uniform"}
    for column, value in chosen.items():
        table = table[table[column] == value]
    shots = {strategy: name for name, strategy in STRATEGY.items()}
    modes = {short: name for name, short in MODE.items()}
    names = table["model"] + " / " + table["mode"].map(modes) + " / " + table["strategy"].map(shots)
    keys = zip(names, table["run"], table["mean"], strict=True)
    return {(str(name), int(run)): float(value) for name, run, value in keys}


def augcmp_scores(folder: Path) -> dict[tuple[str, int], float]:
    """Return mean accuracy of fine-tuned BERT, by file and repeat, at our seeds and texts; NONE for no texts."""
    table = pd.read_csv(folder / AUGCMP / "published_results.csv")
    table = table[(table["classifier"] == "bert") & (table["seeds_per_class"] == SEEDS_PER_CLASS)]
    table = table[table["collected_per_seed"].isin((0, TEXTS_PER_SEED))]
    modes = {short: name for name, short in METHOD.items()} | {"clean": "clean"}
    table = table[table["method"].isin(modes)]
    names = table["generator"] + " / " + table["method"].map(modes)
    # Without texts there are two entries a repeat.
    means = table.assign(name=names).groupby(["name", "repeat"], as_index=False)["mean_accuracy"].mean()
    keys = zip(means["name"], means["repeat"], means["mean_accuracy"], strict=True)
    return {(str(name), int(repeat)): float(value) for name, repeat, value in keys}


def kinit_pairs() -> list[Pair]:
    """Return strategies and ways of asking for each model and their average, then models in pairs."""
    pairs = []
    for models in (*((model,) for model in MODELS), MODELS):
        for shots in (ZERO_SHOT, FEW_SHOT):
            pairs.append(_pair("strategy", models, (PARAPHRASE, shots), (CONDITIONED, shots)))
        for mode in (CONDITIONED, PARAPHRASE):
            pairs.append(_pair("shots", models, (mode, FEW_SHOT), (mode, ZERO_SHOT)))
    pairs.sort(key=lambda pair: ("strategy", "shots").index(pair.question))
    for mode in (CONDITIONED, PARAPHRASE):
        for one, other in combinations(MODELS, 2):
            pairs.append(_single("generator", (one, mode, ZERO_SHOT), (other, mode, ZERO_SHOT)))
    return pairs


def augcmp_pairs() -> list[Pair]:
    """Return language models against classical augmentation, each and on average, then against one another."""
    gpt, llama = "gpt-3.5-turbo", "llama-3-8b"
    rivals = ("back-translation", "contextual insertion (BERT)", "contextual substitution (BERT)")
    against = [(m, r) for m in (gpt, llama) for r in rivals]
    pairs = [_single("LLM or classical", (m, PARAPHRASE), ("nlpaug", r)) for m, r in against]
    every = tuple(pair.files[0] for pair in pairs)
    pairs.append(Pair("LLM or classical", "both models / paraphrase", "mean of the three nlpaug", every))
    ways = (PARAPHRASE, "word insertion", "word swap")
    return pairs + [_single("generator", (gpt, way), (llama, way)) for way in ways]


def compared(
    pairs: Sequence[Pair], published: dict[tuple[str, int], float], ours: dict[tuple[str, int], float]
) -> list[Comparison]:
    """Compare what both have: the authors' scores, our effects against row twins."""
    had = {name for name, _ in ours}
    return [
        Comparison(*pair[:3], _between(published, *pair.files), _between(ours, *pair.files))
        for pair in pairs
        if had.issuperset(name for files in pair.files for name in files)
    ]


def against_none(
    published: dict[tuple[str, int], float], ours: dict[tuple[str, int], float]
) -> list[Comparison]:
    """Compare the authors' gain over no texts, which has no control for volume, with our effects."""
    return [
        Comparison("sign", name, "none", _between(published, (name, NONE)), difference(_draws(ours, name)))
        for name in sorted({name for name, _ in ours})
    ]


def _pair(question: str, models: Sequence[str], one: tuple[str, ...], other: tuple[str, ...]) -> Pair:
    name = models[0] if len(models) == 1 else "mean of the models"
    files = tuple((" / ".join((model, *one)), " / ".join((model, *other))) for model in models)
    return Pair(question, " / ".join((name, *one)), " / ".join((name, *other)), files)


def _single(question: str, one: tuple[str, ...], other: tuple[str, ...]) -> Pair:
    files = (" / ".join(one), " / ".join(other))
    return Pair(question, *files, (files,))


def _between(scores: dict[tuple[str, int], float], *files: tuple[str, str]) -> Difference:
    """Return the mean difference over pairs of files, in the draws that have all of them."""
    both = [draw for draw in DRAWS if all((name, draw) in scores for pair in files for name in pair)]
    return difference([float(np.mean([scores[a, d] - scores[b, d] for a, b in files])) for d in both])


def _draws(scores: dict[tuple[str, int], float], name: str) -> list[float]:
    return [scores[name, draw] for draw in DRAWS if (name, draw) in scores]
