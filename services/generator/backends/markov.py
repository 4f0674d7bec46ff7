"""Word n-grams of the real documents, conditioned on labels.

It learns the words of a label long before any grammar. An honest lower bound for generators
that have nothing but the regime's own documents, and no evidence about language models.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, ClassVar

import numpy as np

from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError
from services.domain.seeds import stream
from services.domain.task import LabelSet, Task
from services.generator.backends import BACKENDS, Candidate, WriteRequest
from services.generator.parameters import Parameters, number, refuse_unknown
from services.generator.planning import LABEL_CONDITIONED

ORDERS = (3, 2, 1)
START, END = "<s>", "</s>"
# A text may grow beyond the longest real one, but not without end.
LENGTH_FACTOR = 1.5

Context = tuple[str, ...]


@dataclass
class Table:
    """Which words follow which contexts, and how often."""

    counts: dict[Context, Counter[str]] = field(default_factory=dict)

    def learn(self, words: Sequence[str]) -> None:
        """Count the words of one text, its end included."""
        padded = [START] * max(ORDERS) + list(words) + [END]
        for place in range(max(ORDERS), len(padded)):
            for order in ORDERS:
                context = tuple(padded[place - order : place])
                self.counts.setdefault(context, Counter())[padded[place]] += 1


@dataclass(frozen=True, slots=True)
class Mixture:
    """How orders and tables are mixed: weights of orders 3, 2 and 1, and the label tables' share."""

    weights: tuple[float, ...]
    label_share: float


class Markov:
    """Writes with the n-grams of the real documents it is given."""

    version: ClassVar[str] = "1"
    description: ClassVar[str] = (
        "Word n-grams of order 3 to 1 learned from the real documents, label by label. Not a language model: "
        "it recombines the regime's own words."
    )
    needs_real: ClassVar[bool] = True
    is_llm: ClassVar[bool] = False
    keeps_rejected: ClassVar[bool] = False
    is_finite: ClassVar[bool] = False
    strategies: ClassVar[tuple[str, ...]] = (LABEL_CONDITIONED,)

    def parameter_schema(self) -> dict[str, Any]:
        share = {"type": "number", "minimum": 0, "maximum": 1}
        properties = {
            "order3": {**share, "default": 0.45},
            "order2": {**share, "default": 0.45},
            "label_share": {**share, "default": 0.85},
        }
        return {"type": "object", "additionalProperties": False, "properties": properties}

    def prepare(self, task: Task, real: Corpus | None, parameters: Parameters, seed: int) -> "MarkovWriter":
        refuse_unknown(parameters, self.parameter_schema()["properties"], "markov")
        if real is None:
            raise InvalidInputError("markov learns from real documents: name a real corpus", field="real")
        third = number(parameters, "order3", 0.45, 0, 1)
        second = number(parameters, "order2", 0.45, 0, 1)
        if third + second > 1:
            raise InvalidInputError(
                f"order3 and order2 are shares of 1, but {third:g} + {second:g} is more",
                field="parameters.order3",
            )
        label_share = number(parameters, "label_share", 0.85, 0, 1)
        return MarkovWriter(real, Mixture((third, second, 1 - third - second), label_share))


class MarkovWriter:
    """N-grams of all documents, and of each label's documents."""

    label_law = None
    labels_fixed = False

    def __init__(self, real: Corpus, mixture: Mixture) -> None:
        self._mixture = mixture
        self._everything = Table()
        self._by_label: dict[str, Table] = {}
        longest = 0
        for document in real.documents:
            words = document.text.split()
            longest = max(longest, len(words))
            self._everything.learn(words)
            for label in document.labels:
                self._by_label.setdefault(label, Table()).learn(words)
        self._limit = max(2, round(LENGTH_FACTOR * longest))

    def write(self, requests: Sequence[WriteRequest]) -> Iterator[Candidate]:
        for request in requests:
            rng = stream(request.seed, "markov", request.index)
            words = self._words(request.labels, rng)
            truncated = len(words) >= self._limit
            text = " ".join(words)
            yield Candidate(request.index, text, request.labels, request.index, truncated=truncated)

    def _words(self, labels: LabelSet, rng: np.random.Generator) -> list[str]:
        known = [label for label in labels if label in self._by_label]
        words = [START] * max(ORDERS)
        while len(words) - max(ORDERS) < self._limit:
            word = self._next(words, known, rng)
            if word == END:
                break
            words.append(word)
        return words[max(ORDERS) :]

    def _next(self, words: Sequence[str], labels: Sequence[str], rng: np.random.Generator) -> str:
        """Return the next word, from the longest context the draw allows that leaves a choice.

        A context with one continuation is skipped above order 1: it would copy its document.
        """
        first, conditioned, label, place = rng.random(4)
        start = sum(first >= bound for bound in accumulate(self._mixture.weights[:-1]))
        tables = [self._everything]
        if labels and conditioned < self._mixture.label_share:
            tables.insert(0, self._by_label[labels[int(label * len(labels))]])
        for order in ORDERS[start:]:
            context = tuple(words[len(words) - order :])
            for table in tables:
                following = table.counts.get(context)
                if following and (len(following) > 1 or order == 1):
                    return _drawn(following, place)
        return END


def _drawn(following: Counter[str], place: float) -> str:
    target = place * following.total()
    words = list(following)
    for word, passed in zip(words, accumulate(following.values()), strict=True):
        if target < passed:
            return word
    return words[-1]


BACKENDS.register("markov", Markov())
