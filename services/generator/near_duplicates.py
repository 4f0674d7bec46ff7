"""Texts that say the same in the same or almost the same words.

Three-word shingles, MinHash with banding to find pairs worth a look, exact Jaccard
similarity to decide: the sketch may err only on what is looked at.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from datasketch import MinHash, MinHashLSH

from services.domain.corpus import Corpus
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


class _Entry(NamedTuple):
    group: str
    id: str
    words: str
    shingles: frozenset[str]
    sketch: MinHash


class TextIndex:
    """Documents that others must not repeat."""

    def __init__(self, entries: Iterable[_Entry] = ()) -> None:
        self._entries: list[_Entry] = []
        self._by_words: dict[str, _Entry] = {}
        self._lsh = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
        for entry in entries:
            self.add(entry)

    def add(self, entry: _Entry) -> None:
        """Make a document known; of equal ones the first is named in matches."""
        self._lsh.insert(len(self._entries), entry.sketch)
        self._entries.append(entry)
        self._by_words.setdefault(entry.words, entry)

    def match(self, entry: _Entry) -> Match | None:
        """Return the document that a text repeats, None for a text that is new."""
        same = self._by_words.get(entry.words)
        if same is not None:
            return Match(same.group, same.id, 1.0, True)
        near = [self._entries[key] for key in self._lsh.query(entry.sketch)]
        scored = ((-_jaccard(entry.shingles, other.shingles), other.group, other.id) for other in near)
        # Between equals the first by name, so that the order of a set never shows.
        distance, group, identifier = min(scored, default=(0.0, "", ""))
        return Match(group, identifier, -distance, False) if -distance >= THRESHOLD else None


def repeats(candidates: Sequence[tuple[str, str]], known: TextIndex) -> list[Match | None]:
    """Return what each (id, text) repeats, in order; None for those that are new.

    A new candidate is known to those after it, as group "synthetic"; a repeating one is not.
    """
    fresh = TextIndex()
    matches: list[Match | None] = []
    for entry in _prepare("synthetic", candidates):
        match = known.match(entry) or fresh.match(entry)
        if match is None:
            fresh.add(entry)
        matches.append(match)
    return matches


# A study screens many corpora against the same real documents.
@lru_cache(maxsize=4)
def known_texts(groups: tuple[tuple[str, Corpus | None], ...]) -> TextIndex:
    """Return an index of some named corpora; the first to hold a text is named in matches."""
    index = TextIndex()
    for group, corpus in groups:
        if corpus is not None:
            for entry in _prepare(group, list(zip(corpus.ids, corpus.texts, strict=True))):
                index.add(entry)
    return index


def _prepare(group: str, texts: Sequence[tuple[str, str]]) -> list[_Entry]:
    words = [normalised(text).split() for _, text in texts]
    shingles = [_shingles(some) for some in words]
    sketches = MinHash.bulk([[s.encode() for s in some] for some in shingles], num_perm=BANDS * ROWS)
    return [
        _Entry(group, identifier, " ".join(some), shingled, sketch)
        for (identifier, _), some, shingled, sketch in zip(texts, words, shingles, sketches, strict=True)
    ]


def _shingles(words: Sequence[str]) -> frozenset[str]:
    places = range(max(1, len(words) - SHINGLE_WORDS + 1))
    return frozenset(" ".join(words[i : i + SHINGLE_WORDS]) for i in places)


def _jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    return len(left & right) / len(left | right)
