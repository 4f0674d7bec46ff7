"""Real documents handed out again."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.labels import jaccard, label_masks
from services.domain.task import LabelSet


@dataclass(frozen=True)
class Donors:
    """The documents of a real corpus, found by label set."""

    corpus: Corpus
    rows: dict[frozenset[str], tuple[int, ...]]

    def any_row(self, rng: np.random.Generator) -> int:
        """Return a row, all equally likely."""
        return int(rng.integers(len(self.corpus)))

    def same_labels(self, labels: Iterable[str], rng: np.random.Generator) -> Document | None:
        """Return a document with exactly these labels, None where there is none."""
        rows = self.rows.get(frozenset(labels), ())
        place = rng.random()
        return self.corpus.documents[rows[int(place * len(rows))]] if rows else None

    def nearest_labels(self, labels: LabelSet, rng: np.random.Generator) -> Document:
        """Return one of the documents whose label sets overlap most (Jaccard) with these."""
        wanted = label_masks(self.corpus.task.encode([labels]))
        overlap = jaccard(wanted, label_masks(self.corpus.indicator))[0]
        best = np.flatnonzero(overlap == overlap.max())
        return self.corpus.documents[int(best[int(rng.random() * len(best))])]


def donors(corpus: Corpus) -> Donors:
    """Return the donors of a real corpus."""
    rows: dict[frozenset[str], list[int]] = {}
    for row, document in enumerate(corpus.documents):
        rows.setdefault(frozenset(document.labels), []).append(row)
    return Donors(corpus, {labels: tuple(found) for labels, found in rows.items()})
