"""Documents cut into clauses, and clauses of several documents put together."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

# Longer pieces are cut on: whole sentences would be copies of their own.
LONGEST_WORDS = 16

_END = re.compile(r"(?<=[.,;:!?])\s+")


class Part(NamedTuple):
    """A clause, and which of the donors it stands in."""

    donor: int
    clause: str


def clauses(text: str) -> tuple[str, ...]:
    """Return the pieces of a text between punctuation, in order and with it.

    Pieces of more than `LONGEST_WORDS` words are cut into as few pieces of about equal length as keep
    within it. Joined by spaces the pieces are the text, but for its white space.
    """
    return tuple(piece for passage in _END.split(text.strip()) for piece in _cut(passage.split()))


def recombined(donors: Sequence[Sequence[str]], rng: np.random.Generator) -> tuple[Part, ...]:
    """Return clauses of several donors that stand about where they stood.

    There are as many as one of the donors has, at least two, and of neighbouring ones no two are of the
    same donor, so that none gives more than every second clause.

    Args:
        donors: Two or more documents as clauses, at least one each.
        rng: Decides the length, the order of the donors and which clauses they give.
    """
    length = max(2, len(donors[int(rng.integers(len(donors)))]))
    order = [int(donor) for donor in rng.permutation(len(donors))]
    parts = []
    for place in range(length):
        donor = order[place % len(order)]
        parts.append(Part(donor, _near(donors[donor], (place + rng.random()) / length)))
    return tuple(parts)


def joined(pieces: Sequence[str]) -> str:
    """Return a text of clauses: a capital first, a full stop last, each clause once."""
    text = " ".join(dict.fromkeys(pieces))
    ended = text if text[-1] in ".!?" else f"{text.rstrip(',;:')}."
    return f"{ended[0].upper()}{ended[1:]}"


def _near(pieces: Sequence[str], share: float) -> str:
    return pieces[min(int(share * len(pieces)), len(pieces) - 1)]


def _cut(words: Sequence[str]) -> list[str]:
    count = -(-len(words) // LONGEST_WORDS)
    bounds = [round(i * len(words) / count) for i in range(count + 1)] if count else [0]
    return [" ".join(words[a:b]) for a, b in pairwise(bounds)]
