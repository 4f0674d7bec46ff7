"""Texts that say the same in the same or almost the same words.

Three-word shingles, MinHash with banding to find pairs worth a look, exact Jaccard
similarity to decide: the sketch may err only on what is looked at.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.domain.texts import normalised

SHINGLE_WORDS = 3
THRESHOLD = 0.6
# 20 bands of 3: a pair at the threshold is looked at with probability .99, one at .2 with .15.
BANDS, ROWS = 20, 3
# The permutations of the library datasketch 2, with which corpora were screened first.
PERMUTATIONS_SEED = 1

Sketches = npt.NDArray[np.uint32]


class Match(NamedTuple):
    """The document a text repeats; `group` says which corpus it is of."""

    group: str
    id: str
    similarity: float
    exact: bool


class Entry(NamedTuple):
    """A document prepared for comparison: its words, one space apart, and what is made of them."""

    group: str
    id: str
    words: str
    shingles: frozenset[str]
    bands: tuple[bytes, ...]


class TextIndex:
    """Documents that others must not repeat."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries: list[Entry] = []
        self._by_words: dict[str, Entry] = {}
        self._buckets: tuple[dict[bytes, list[int]], ...] = tuple({} for _ in range(BANDS))
        for entry in entries:
            self.add(entry)

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """Make a document known; of equal ones the first is named in matches."""
        for bucket, band in zip(self._buckets, entry.bands, strict=True):
            bucket.setdefault(band, []).append(len(self._entries))
        self._entries.append(entry)
        self._by_words.setdefault(entry.words, entry)

    def match(self, entry: Entry) -> Match | None:
        """Return the document that a text repeats, None for a text that is new."""
        same = self._by_words.get(entry.words)
        if same is not None:
            return Match(same.group, same.id, 1.0, True)
        # Between equals the first by name, so that the order of a set never shows.
        return min(self.matches(entry), key=lambda m: (-m.similarity, m.group, m.id), default=None)

    def matches(self, entry: Entry) -> list[Match]:
        """Return all documents that a text repeats, in the order in which they became known."""
        found = []
        alike = {
            key
            for bucket, band in zip(self._buckets, entry.bands, strict=True)
            for key in bucket.get(band, ())
        }
        for key in sorted(alike):
            other = self._entries[key]
            similarity = _jaccard(entry.shingles, other.shingles)
            if similarity >= THRESHOLD:
                found.append(Match(other.group, other.id, similarity, entry.words == other.words))
        return found


def prepare(group: str, texts: Sequence[tuple[str, str]]) -> list[Entry]:
    """Return (id, text) pairs of one corpus as entries, in order."""
    words = [normalised(text).split() for _, text in texts]
    shingles = [_shingles(some) for some in words]
    sketched = _bands(_sketches(shingles)) if texts else []
    return [
        Entry(group, identifier, " ".join(some), shingled, bands)
        for (identifier, _), some, shingled, bands in zip(texts, words, shingles, sketched, strict=True)
    ]


def _sketches(shingles: Sequence[frozenset[str]]) -> Sketches:
    """Return MinHash sketches, shape (texts, BANDS * ROWS): per permutation the least hash of a text's shingles.

    Each distinct shingle is hashed once, for near duplicates share most of theirs. There is no text
    without shingles.

    Source: Broder (1997), Compression and Complexity of Sequences, 21-29.
    """
    place = {shingle: i for i, shingle in enumerate(dict.fromkeys(s for some in shingles for s in some))}
    hashes = _mixed(np.array([_hash(shingle) for shingle in place], dtype=np.uint32))
    rows = np.fromiter((place[s] for some in shingles for s in some), np.int64)
    starts = np.cumsum([0, *map(len, shingles[:-1])])
    least = np.empty((len(shingles), BANDS * ROWS), np.uint32)
    for column, (a, b) in enumerate(_permutations()):
        least[:, column] = np.minimum.reduceat((hashes * a + b)[rows], starts)
    return least


def _hash(shingle: str) -> int:
    return int.from_bytes(hashlib.sha1(shingle.encode()).digest()[:4], "little")


def _mixed(hashes: Sketches) -> Sketches:
    """Return hashes whose every bit hangs on all bits: the finalizer of MurmurHash3 (Appleby, 2011)."""
    mixed = (hashes ^ (hashes >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return mixed ^ (mixed >> np.uint32(16))


@cache
def _permutations() -> Sketches:
    """Return pairs (a, b), shape (BANDS * ROWS, 2): with odd a, h -> a · h + b permutes 32-bit numbers."""
    # The stream of this generator is frozen, so that what is screened stays as it is.
    draws, count = np.random.RandomState(PERMUTATIONS_SEED), BANDS * ROWS
    a = draws.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return np.stack([a, draws.randint(0, 1 << 32, count, dtype=np.uint32)], axis=1)


def _bands(sketches: Sketches) -> list[tuple[bytes, ...]]:
    width = ROWS * sketches.itemsize
    found = []
    for sketch in sketches:
        whole = sketch.tobytes()
        found.append(tuple(whole[start : start + width] for start in range(0, len(whole), width)))
    return found


def _shingles(words: Sequence[str]) -> frozenset[str]:
    places = range(max(1, len(words) - SHINGLE_WORDS + 1))
    return frozenset(" ".join(words[i : i + SHINGLE_WORDS]) for i in places)


def _jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / len(left | right)
