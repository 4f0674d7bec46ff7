"""Pairs of documents that say the same, and pairs of one family."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from services.domain.corpus import Corpus
from services.evaluator.leakage import Pair
from services.features.near_duplicates import TextIndex, prepare


class Texts:
    """The texts of a corpus, prepared once for all comparisons; those without a word are left out."""

    def __init__(self, corpus: Corpus) -> None:
        prepared = prepare("", list(zip(corpus.ids, corpus.texts, strict=True)))
        self.entries = tuple(entry for entry in prepared if entry.words)
        self.index = TextIndex(self.entries)


def equal_pairs(left: Texts, right: Texts) -> Iterator[Pair]:
    """Yield documents with the same words in the same order; case and punctuation make no difference."""
    return _joined(
        [(entry.words, entry.id) for entry in left.entries],
        [(entry.words, entry.id) for entry in right.entries],
    )


def near_pairs(left: Texts, right: Texts) -> Iterator[Pair]:
    """Yield documents that share at least .6 of their three-word shingles without being equal.

    A pair at the threshold is found with probability .99, more similar ones almost surely.
    """
    for entry in right.entries:
        for match in left.index.matches(entry):
            if not match.exact:
                yield Pair(match.id, entry.id, match.similarity)


def repeating_pairs(texts: Texts) -> Iterator[tuple[str, str]]:
    """Yield documents of one corpus that are equal or near-duplicates, identifiers in order."""
    for entry in texts.entries:
        for match in texts.index.matches(entry):
            if match.id != entry.id:
                yield match.id, entry.id


def family_pairs(left: Corpus, right: Corpus) -> Iterator[Pair]:
    """Yield documents of one family that stand in both corpora."""
    return _joined(
        list(zip(left.families, left.ids, strict=True)), list(zip(right.families, right.ids, strict=True))
    )


def _joined(left: Sequence[tuple[str, str]], right: Sequence[tuple[str, str]]) -> Iterator[Pair]:
    """Yield identifiers that have the same key, of (key, identifier)."""
    known = defaultdict(list)
    for key, identifier in left:
        known[key].append(identifier)
    for key, identifier in right:
        for other in known.get(key, ()):
            yield Pair(other, identifier, 1.0)
