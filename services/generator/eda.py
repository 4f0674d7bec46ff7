"""Easy data augmentation: a text with some words replaced, added, moved or left out.

Surface variety without new content, and without any model of language. The original takes synonyms
from a thesaurus; here words of the same corpus that are used alike stand in for them.

Source: Wei and Zou (2019), EMNLP, arXiv 1901.11196.
"""

from collections.abc import Callable

import numpy as np

from services.generator.neighbours import Neighbours, word_of

DEFAULT_STRENGTH = 0.1

Operation = Callable[[list[str], np.random.Generator, Neighbours, float], list[str]]


def augmented(
    text: str, rng: np.random.Generator, neighbours: Neighbours, strength: float = DEFAULT_STRENGTH
) -> str:
    """Return a text after one of the four operations, drawn with equal probability.

    Args:
        text: Its words are what stands between spaces; spaces become single ones.
        rng: Decides the operation and its places.
        neighbours: What may replace or join a word; where none of the text's words has any, words are
            only moved or left out.
        strength: The share of words concerned (alpha of the source), in (0, 1]; of a text of l words
            max(1, floor(strength · l)), except that deletion takes each word with this probability.

    Returns:
        Never empty for a text with words. It may be the text itself: a word alone, no word deleted, two
        equal words swapped.
    """
    tokens = text.split()
    known = any(word_of(token) in neighbours for token in tokens)
    operations = (_replaced, _inserted, _swapped, _deleted) if known else (_swapped, _deleted)
    operation: Operation = operations[int(rng.integers(len(operations)))]
    return " ".join(operation(tokens, rng, neighbours, strength)) if tokens else text


def _replaced(
    tokens: list[str], rng: np.random.Generator, neighbours: Neighbours, strength: float
) -> list[str]:
    """Put neighbours in the place of distinct words that have some."""
    places = [i for i, token in enumerate(tokens) if word_of(token) in neighbours]
    changed = list(tokens)
    for i in rng.permutation(len(places))[: _number(tokens, strength)]:
        place = places[int(i)]
        changed[place] = _in_the_form_of(tokens[place], _neighbour(tokens[place], rng, neighbours))
    return changed


def _inserted(
    tokens: list[str], rng: np.random.Generator, neighbours: Neighbours, strength: float
) -> list[str]:
    """Put neighbours of random words of the text at random places."""
    sources = [token for token in tokens if word_of(token) in neighbours]
    changed = list(tokens)
    for _ in range(_number(tokens, strength)):
        word = _neighbour(sources[int(rng.integers(len(sources)))], rng, neighbours)
        changed.insert(int(rng.integers(len(changed) + 1)), word)
    return changed


def _swapped(
    tokens: list[str], rng: np.random.Generator, neighbours: Neighbours, strength: float
) -> list[str]:
    """Exchange two words at random places, again and again."""
    changed = list(tokens)
    for _ in range(_number(tokens, strength) if len(tokens) > 1 else 0):
        one, other = rng.choice(len(changed), 2, replace=False)
        changed[one], changed[other] = changed[other], changed[one]
    return changed


def _deleted(
    tokens: list[str], rng: np.random.Generator, neighbours: Neighbours, strength: float
) -> list[str]:
    """Leave out words; of a text that would lose all of them one stays."""
    kept = [token for token, level in zip(tokens, rng.random(len(tokens)), strict=True) if level >= strength]
    return kept or [tokens[int(rng.integers(len(tokens)))]]


def _number(tokens: list[str], strength: float) -> int:
    return max(1, int(strength * len(tokens)))


def _neighbour(token: str, rng: np.random.Generator, neighbours: Neighbours) -> str:
    options = neighbours[word_of(token)]
    return options[int(rng.integers(len(options)))]


def _in_the_form_of(token: str, word: str) -> str:
    """Return a word with the punctuation around a token's word, and its capital."""
    inside = word_of(token)
    start = token.casefold().find(inside)
    # Case-folding may lengthen a word, as with ß; then the punctuation is not worth a guess.
    if len(token.casefold()) != len(token):
        return word
    shown = word[:1].upper() + word[1:] if token[start].isupper() else word
    return token[:start] + shown + token[start + len(inside) :]
