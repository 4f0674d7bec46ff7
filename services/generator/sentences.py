"""Sentences with slots: the template backend's own data."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from services.domain.errors import InvalidInputError
from services.generator.simulation.draws import happens, one_of

FILE = Path(__file__).parent / "templates" / "sentences.toml"
DEFAULT_GENRE = "abstract"
CLOSING_PROBABILITY = 0.5

_TERM = re.compile(r"\{term\}")


@dataclass(frozen=True, slots=True)
class Sentences:
    """One genre's sentences; all but the closings have slots."""

    openings: tuple[str, ...]
    definition: tuple[str, ...]
    sentences: tuple[str, ...]
    closings: tuple[str, ...]

    def fill(
        self, next_term: Callable[[], str], count: int, definition: str, rng: np.random.Generator
    ) -> str:
        """Return a text: an opening, the definition where there is one, `count` sentences, maybe a closing.

        Sentences come in random order and begin anew when all were used.
        """
        chosen = [one_of(self.openings, rng)]
        order = rng.permutation(len(self.sentences))
        chosen += [self.sentences[int(order[i % len(order)])] for i in range(count)]
        said = [_TERM.sub(lambda _: next_term(), sentence) for sentence in chosen]
        if definition:
            said.insert(1, one_of(self.definition, rng).replace("{definition}", definition))
        if happens(CLOSING_PROBABILITY, rng):
            said.append(one_of(self.closings, rng))
        return " ".join(said)


@dataclass(frozen=True)
class Templates:
    """All genres, and the words that are no key terms."""

    genres: Mapping[str, Sentences]
    function_words: frozenset[str]

    def genre(self, name: str) -> Sentences:
        """Return the sentences of a genre; an empty name stands for the default.

        Raises:
            InvalidInputError: There are none.
        """
        if (name or DEFAULT_GENRE) not in self.genres:
            raise InvalidInputError(
                f"template: no sentences for genre {name!r}; there are: {', '.join(self.genres)}",
                field="genre",
            )
        return self.genres[name or DEFAULT_GENRE]


@cache
def load_templates() -> Templates:
    """Return the sentences of the data file."""
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))
    genres = {name: _sentences(entry) for name, entry in data["genre"].items()}
    return Templates(genres, frozenset(data["function_words"]))


def _sentences(entry: Mapping[str, Sequence[str]]) -> Sentences:
    return Sentences(**{name: tuple(some) for name, some in entry.items()})
