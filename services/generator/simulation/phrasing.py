"""How documents are worded: genres, and noise on finished texts."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from services.domain.errors import InvalidInputError
from services.generator.simulation.draws import Cumulative, cumulative, happens, one_of, pick

GENRES_FILE = Path(__file__).parent / "genres.toml"
# Word pieces a text may have by the estimate below, which errs on the high side; MiniLM's
# tokeniser then stays within 60.
PIECE_BUDGET = 53
CLOSING_PROBABILITY = 0.3

_SLOT = re.compile(r"\{(term|bare|part|verb)\}")
_WORD = re.compile(r"\w+|[^\w\s]")
# Begins with a vowel and sounds like "you": a user, a unit.
_SPOKEN_AS_YOU = ("uni", "use", "usa", "eu")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A piece of a sentence; `pieces` alternate between plain text and slot names, `terms` is at least 1."""

    pieces: tuple[str, ...]
    terms: int


@dataclass(frozen=True, slots=True)
class Genre:
    """One way of wording; `share` is its frequency in reality."""

    name: str
    share: float
    openings: tuple[Pattern, ...]
    clauses: tuple[Pattern, ...]
    closings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """All genres, and words that tell nothing about labels."""

    genres: dict[str, Genre]
    shares: Cumulative
    foreign: tuple[str, ...]
    parts: tuple[str, ...]
    verbs: tuple[str, ...]
    fillers: tuple[str, ...]

    def choose_genre(self, wanted: str, drift: float, rng: np.random.Generator) -> Genre:
        """Return the genre of one document: the wanted one, else as reality has it, or a foreign one.

        Raises:
            InvalidInputError: There is no such genre.
        """
        drifted, native = happens(drift, rng), pick(self.shares, rng)
        if wanted and wanted not in self.genres:
            raise InvalidInputError(
                f"simulator: no genre {wanted!r}; there are: {', '.join(self.genres)}", field="genre"
            )
        if drifted:
            return self.genres[one_of(self.foreign, rng)]
        return self.genres[wanted] if wanted else list(self.genres.values())[native]

    def word(self, terms: Sequence[str], genre: Genre, rng: np.random.Generator) -> str:
        """Return a text that uses the terms in order, as many as fit into the piece budget."""
        left = list(terms)
        text = self._filled(_fitting(genre.openings, left, rng), left, rng)
        while left:
            clause = self._filled(_fitting(genre.clauses, left, rng), left, rng)
            if estimated_pieces(f"{text}, {clause}") > PIECE_BUDGET:
                break
            text = f"{text}, {clause}"
        closing = one_of(genre.closings, rng)
        if happens(CLOSING_PROBABILITY, rng) and estimated_pieces(f"{text} {closing}") <= PIECE_BUDGET:
            text = f"{text}, {closing}"
        return f"{text[0].upper()}{text[1:]}."

    def disturb(self, text: str, noise: float, rng: np.random.Generator) -> str:
        """Drop, swap or pad a share of a text's words; never all of them."""
        words = text.split()
        kept: list[str] = []
        for word in words:
            if not happens(noise, rng):
                kept.append(word)
                continue
            change = one_of(("drop", "swap", "pad"), rng)
            if change == "swap":
                kept.insert(max(0, len(kept) - 1), word)
            elif change == "pad":
                kept += [one_of(self.fillers, rng), word]
        return " ".join(kept or words[:1])

    def _filled(self, pattern: Pattern, left: list[str], rng: np.random.Generator) -> str:
        filled = ""
        for place, piece in enumerate(pattern.pieces):
            if place % 2 == 0:
                filled += piece
            elif piece in ("term", "bare"):
                filled += with_article(left.pop(0)) if piece == "term" else left.pop(0)
            else:
                filled += one_of(self.parts if piece == "part" else self.verbs, rng)
        return filled


def estimated_pieces(text: str) -> int:
    """Return about how many word pieces a text has: one per six letters of each word, start and end."""
    return 2 + sum(1 + (len(word) - 1) // 6 for word in _WORD.findall(text))


def with_article(term: str) -> str:
    """Return a term after its indefinite article, where it takes one; plurals are told by their ending."""
    if term.endswith("s") and not term.endswith(("ss", "us", "is")):
        return term
    vowel = term[0].lower() in "aeiou" and not term.startswith(_SPOKEN_AS_YOU)
    return f"an {term}" if vowel else f"a {term}"


@cache
def load_wording() -> Wording:
    """Return the wording of the data file."""
    data = tomllib.loads(GENRES_FILE.read_text(encoding="utf-8"))
    genres = {name: _genre(name, entry) for name, entry in data["genre"].items()}
    foreign = tuple(name for name, genre in genres.items() if genre.share == 0)
    shares = cumulative([genre.share for genre in genres.values()])
    return Wording(
        genres, shares, foreign, tuple(data["parts"]), tuple(data["verbs"]), tuple(data["fillers"])
    )


def _genre(name: str, entry: dict[str, Any]) -> Genre:
    openings, clauses = (tuple(_pattern(item) for item in entry[key]) for key in ("openings", "clauses"))
    return Genre(name, entry["share"], openings, clauses, tuple(entry["closings"]))


def _pattern(text: str) -> Pattern:
    pieces = tuple(_SLOT.split(text))
    return Pattern(pieces, sum(piece in ("term", "bare") for piece in pieces[1::2]))


def _fitting(patterns: Sequence[Pattern], left: Sequence[str], rng: np.random.Generator) -> Pattern:
    return one_of([p for p in patterns if p.terms <= len(left)], rng)
