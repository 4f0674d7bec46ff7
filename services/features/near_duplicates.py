"""Texts that say the same in the same or almost the same words.

Three-word shingles, MinHash with banding to find pairs worth a look, exact Jaccard
similarity to decide: the sketch may err only on what is looked at.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from datasketch import MinHash, MinHashLSH

from services.domain.texts import normalised

SHINGLE_WORDS = 3
THRESHOLD = 0.6
# 20 bands of 3: a pair at the threshold is looked at with probability .99, one at .2 with .15.
BANDS, ROWS = 20, 3


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
    sketch: MinHash


class TextIndex:
    """Documents that others must not repeat."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries: list[Entry] = []
        self._by_words: dict[str, Entry] = {}
        self._lsh = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Make a document known; of equal ones the first is named in matches."""
        self._lsh.insert(len(self._entries), entry.sketch)
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
        for key in sorted(self._lsh.query(entry.sketch)):
            other = self._entries[key]
            similarity = _jaccard(entry.shingles, other.shingles)
            if similarity >= THRESHOLD:
                found.append(Match(other.group, other.id, similarity, entry.words == other.words))
        return found


def prepare(group: str, texts: Sequence[tuple[str, str]]) -> list[Entry]:
    """Return (id, text) pairs of one corpus as entries, in order."""
    words = [normalised(text).split() for _, text in texts]
    shingles = [_shingles(some) for some in words]
    sketches = MinHash.bulk([[s.encode() for s in some] for some in shingles], num_perm=BANDS * ROWS)
    return [
        Entry(group, identifier, " ".join(some), shingled, sketch)
        for (identifier, _), some, shingled, sketch in zip(texts, words, shingles, sketches, strict=True)
    ]


def _shingles(words: Sequence[str]) -> frozenset[str]:
    places = range(max(1, len(words) - SHINGLE_WORDS + 1))
    return frozenset(" ".join(words[i : i + SHINGLE_WORDS]) for i in places)


def _jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / len(left | right)
