"""Candidates that repeat real documents or one another."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from services.domain.corpus import Corpus
from services.features.near_duplicates import Match, TextIndex, prepare

Candidates = Sequence[tuple[str, str]]
# Corpora that may be growing at once: one a thread.
GROWING = 16


@dataclass
class _Compared:
    """Candidates so far, and what each repeats."""

    known_count: int
    candidates: tuple[tuple[str, str], ...] = ()
    matches: list[Match | None] = field(default_factory=list)
    fresh: TextIndex = field(default_factory=TextIndex)

    def begins(self, candidates: Candidates, known: TextIndex) -> bool:
        """Say whether these are the first of some candidates, compared with what is known still."""
        return self.known_count == len(known) and self.candidates == tuple(candidates[: len(self.candidates)])


# A corpus is screened anew whenever candidates join it; those that were compared before need not be again.
_compared: dict[tuple[TextIndex, tuple[str, str]], _Compared] = {}


def repeats(candidates: Candidates, known: TextIndex, *, growing: bool = True) -> list[Match | None]:
    """Return what each (id, text) repeats, in order; None for those that are new.

    A new candidate is known to those after it, as group "synthetic"; a repeating one is not.

    Args:
        candidates: Of a corpus.
        known: What they are held against.
        growing: Whether the same will be asked for with further candidates; what was
            compared is then kept.
    """
    if not candidates:
        return []
    key = (known, candidates[0])
    # Whoever takes a comparison has it alone; a thread that comes meanwhile starts afresh.
    before = _compared.pop(key, None)
    state = before if before and before.begins(candidates, known) else _Compared(len(known))
    for entry in prepare("synthetic", candidates[len(state.candidates) :]):
        match = known.match(entry) or state.fresh.match(entry)
        if match is None:
            state.fresh.add(entry)
        state.matches.append(match)
    state.candidates = tuple(candidates)
    if not growing:
        return state.matches
    if len(_compared) >= GROWING:
        _compared.clear()
    _compared[key] = state
    return list(state.matches)


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
