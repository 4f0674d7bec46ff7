"""Candidates that repeat real documents or one another."""

from collections.abc import Sequence
from functools import lru_cache

from services.domain.corpus import Corpus
from services.features.near_duplicates import Match, TextIndex, prepare


def repeats(candidates: Sequence[tuple[str, str]], known: TextIndex) -> list[Match | None]:
    """Return what each (id, text) repeats, in order; None for those that are new.

    A new candidate is known to those after it, as group "synthetic"; a repeating one is not.
    """
    fresh = TextIndex()
    matches: list[Match | None] = []
    for entry in prepare("synthetic", candidates):
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
            for entry in prepare(group, list(zip(corpus.ids, corpus.texts, strict=True))):
                index.add(entry)
    return index
