"""Graded relevance: how much of two documents' labels is shared.

The gain of a document for a query is the Jaccard similarity of their label
sets. Only the best possible list needs every document, and documents with equal
label sets are interchangeable for it: the scan runs over distinct label masks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from services.domain.labels import Masks

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ideal:
    """What the best possible lists hold.

    Args:
        gains: Shape (queries, depth), falling; 0 where nothing is left.
        relevant_counts: Shape (queries,), documents at or above the threshold.
    """

    gains: Doubles
    relevant_counts: Integers


def ideal_lists(
    queries: Masks, documents: Masks, left_out: Sequence[Integers], depth: int, threshold: float = 0.0
) -> Ideal:
    """Return the largest gains each query could find.

    Args:
        queries: Shape (queries, words).
        documents: Shape (documents, words), those that may have gain.
        left_out: Per query the documents that are not eligible, for example its family.
        depth: Gains kept.
        threshold: A document is relevant when its gain is positive and at least this.
    """
    unique, mask_of, counts = np.unique(documents, axis=0, return_inverse=True, return_counts=True)
    mask_of = mask_of.reshape(-1)
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows in left_out])]).astype(np.int64)
    removed = mask_of[np.concatenate([*left_out, np.empty(0, dtype=np.int64)])].astype(np.int64)
    # Equal queries come one after the other and share their similarities.
    order = np.lexsort(queries.T)
    gains = np.zeros((len(queries), depth))
    relevant = np.zeros(len(queries), dtype=np.int64)
    _scan(queries, order, unique, counts.astype(np.int64), starts, removed, threshold, gains, relevant)
    return Ideal(gains, relevant)


def gains_of(queries: Masks, documents: Masks, positions: Integers) -> Doubles:
    """Return the gains of found documents, shape of `positions`; 0 at position -1."""
    both = np.zeros(positions.shape, dtype=np.int64)
    either = np.zeros_like(both)
    for word in range(queries.shape[1]):
        query, found = queries[:, word, None], documents[positions, word]
        both += np.bitwise_count(query & found)
        either += np.bitwise_count(query | found)
    return np.where(positions >= 0, both / np.maximum(either, 1), 0.0)


@njit(nogil=True, cache=True)
def popcount(word: np.uint64) -> np.int64:
    """Count the set bits of a word, in a form that compiles to vector code."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(nogil=True, cache=True)
def overlaps(query: Masks, documents: Masks, found: Doubles) -> None:
    """Write the Jaccard similarity of one label set to many; 0 where both are empty."""
    for j in range(len(documents)):
        both, either = np.int64(0), np.int64(0)
        for word in range(len(query)):
            both += popcount(query[word] & documents[j, word])
            either += popcount(query[word] | documents[j, word])
        found[j] = both / either if either else 0.0


@njit(nogil=True, cache=True)
def _scan(
    queries: Masks,
    order: Integers,
    unique: Masks,
    counts: Integers,
    starts: Integers,
    removed: Integers,
    threshold: float,
    gains: Doubles,
    relevant: Integers,
) -> None:
    similarity = np.empty(len(unique))
    for place in range(len(order)):
        query = order[place]
        if place == 0 or (queries[query] != queries[order[place - 1]]).any():
            overlaps(queries[query], unique, similarity)
        for r in range(starts[query], starts[query + 1]):
            counts[removed[r]] -= 1
        relevant[query] = _keep_best(similarity, counts, threshold, gains[query])
        for r in range(starts[query], starts[query + 1]):
            counts[removed[r]] += 1


@njit(nogil=True, cache=True)
def _keep_best(similarity: Doubles, counts: Integers, threshold: float, best: Doubles) -> int:
    """Fill `best`, which holds zeros, with the largest gains; return how many are relevant."""
    relevant, last = 0, len(best) - 1
    for j in range(len(similarity)):
        gain = similarity[j]
        if gain <= 0:
            continue
        if gain >= threshold:
            relevant += counts[j]
        for _ in range(min(counts[j], len(best))):
            if gain <= best[last]:
                break
            place = last
            while place > 0 and best[place - 1] < gain:
                best[place] = best[place - 1]
                place -= 1
            best[place] = gain
    return relevant
