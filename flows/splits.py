"""Splits and replicates: families are never cut."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.domain.corpus import Corpus
from services.domain.errors import PreconditionError

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Rows of one corpus, each in exactly one part, whole families together."""

    train: Rows
    test: Rows
    reference: Rows


def split_by_family(
    corpus: Corpus, *, train: int, test: int, reference: int, rng: np.random.Generator
) -> Split:
    """Deal whole families to the splits until each has at least its size.

    Rows left over belong to no split. Sizes are exceeded by less than one
    family.

    Raises:
        PreconditionError: The corpus is too small.
    """
    order = family_order(corpus, np.arange(len(corpus), dtype=np.int64), rng)
    families = np.array(corpus.families)[order]
    parts = []
    start = 0
    for size, name in ((test, "test"), (reference, "reference"), (train, "train")):
        end = start if size == 0 else _family_end(families, start + size)
        if end - start < size:
            raise PreconditionError(
                f"{len(corpus)} documents cannot be split into {train} for training, {test} for testing and "
                f"{reference} for reference without cutting families: {name} gets {end - start}"
            )
        parts.append(np.sort(order[start:end]))
        start = end
    return Split(train=parts[2], test=parts[0], reference=parts[1])


def family_order(corpus: Corpus, rows: Rows, rng: np.random.Generator) -> Rows:
    """Return the rows with families in random order and their members together.

    Taking the first n of them gives nested regimes; only the last family of a
    regime may be cut, and fold hygiene keeps its members apart.
    """
    members: dict[str, list[int]] = {}
    for row in rows:
        members.setdefault(corpus.families[int(row)], []).append(int(row))
    names = sorted(members)
    shuffled = [members[names[i]] for i in rng.permutation(len(names))]
    return np.array([row for family in shuffled for row in family], dtype=np.int64)


def _family_end(families: npt.NDArray[np.str_], position: int) -> int:
    end = min(position, len(families))
    while 0 < end < len(families) and families[end] == families[end - 1]:
        end += 1
    return end
