"""Texts as words and as n-grams of words, once per sample."""

from typing import NamedTuple

import numpy as np

from services.domain.texts import normalised
from services.evaluator.fidelity import Codes, Sample
from services.evaluator.fidelity.once import once

LONGEST = 4

Words = tuple[str, ...]


class Grams(NamedTuple):
    """All runs of n words of a sample, document after document.

    Args:
        ids: Shape (runs,), from 0; equal runs have equal ids.
        documents: Shape (runs,), ascending: the row a run stands in.
    """

    ids: Codes
    documents: Codes


@once
def words(sample: Sample) -> tuple[Words, ...]:
    """Return every document's case-folded words without punctuation; none without texts."""
    return tuple(tuple(normalised(text).split()) for text in sample.texts or ())


@once
def lengths(sample: Sample) -> Codes:
    """Return words per document, shape (n,)."""
    return np.array([len(some) for some in words(sample)], dtype=np.int64)


@once
def vocabulary(sample: Sample) -> Words:
    """Return the different words in the order in which they first occur."""
    return tuple(dict.fromkeys(word for some in words(sample) for word in some))


@once
def grams(sample: Sample) -> tuple[Grams, ...]:
    """Return the runs of one, two, three and four words, in this order; of one word, ids follow `vocabulary`."""
    known = {word: i for i, word in enumerate(vocabulary(sample))}
    spoken = np.array([known[word] for some in words(sample) for word in some], dtype=np.int64)
    rows = np.repeat(np.arange(len(words(sample))), lengths(sample))
    found, starts = [Grams(spoken, rows)], np.arange(len(spoken))
    for n in range(1, LONGEST):
        # A run goes on where the next word is of the same document.
        longer = starts + n < len(spoken)
        longer[longer] = rows[starts[longer]] == rows[starts[longer] + n]
        starts, ids = starts[longer], found[-1].ids[longer]
        codes = ids * max(len(known), 1) + spoken[starts + n]
        found.append(Grams(np.unique(codes, return_inverse=True)[1].astype(np.int64), rows[starts]))
    return tuple(found)
