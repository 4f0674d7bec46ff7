"""Easy data augmentation, and the words that stand in for synonyms."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.generator import eda
from services.generator.eda import augmented
from services.generator.neighbours import learn_neighbours, word_of

NEIGHBOURS = {"cane": ("stick", "crutch"), "grip": ("handle",)}
TEXT = "A Cane, with one soft grip and nine other plain little words."


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def words(text: str) -> Counter[str]:
    return Counter(word_of(token) for token in text.split())


def test_replaced_words_keep_their_capital_and_punctuation() -> None:
    results = {" ".join(eda._replaced(TEXT.split(), rng(s), NEIGHBOURS, 1.0)) for s in range(20)}
    rest = "with one soft handle and nine other plain little words."
    assert results == {f"A Stick, {rest}", f"A Crutch, {rest}"}


@pytest.mark.parametrize(("strength", "changed"), [(0.01, 1), (0.1, 1), (0.2, 2)])
def test_number_of_changes_is_the_floor_of_the_share_but_at_least_one(strength: float, changed: int) -> None:
    tokens = TEXT.split()
    assert len(tokens) == 12
    replaced = eda._replaced(tokens, rng(1), NEIGHBOURS, strength)
    assert sum(a != b for a, b in zip(tokens, replaced, strict=True)) == changed
    assert len(eda._inserted(tokens, rng(1), NEIGHBOURS, strength)) == 12 + changed


def test_inserted_words_are_neighbours_of_words_that_are_there() -> None:
    for seed in range(20):
        added = words(" ".join(eda._inserted(TEXT.split(), rng(seed), NEIGHBOURS, 0.3))) - words(TEXT)
        assert set(added) <= {"stick", "crutch", "handle"}
        assert added.total() == 3


def test_swapping_keeps_all_words_and_deleting_adds_none() -> None:
    swapped = [eda._swapped(TEXT.split(), rng(s), {}, 0.2) for s in range(20)]
    assert all(Counter(tokens) == Counter(TEXT.split()) for tokens in swapped)
    assert any(tokens != TEXT.split() for tokens in swapped)
    kept = [eda._deleted(TEXT.split(), rng(s), {}, 0.25) for s in range(400)]
    assert np.mean([len(tokens) for tokens in kept]) == pytest.approx(9, abs=0.3)


def test_deletion_leaves_a_word() -> None:
    assert all(len(eda._deleted(TEXT.split(), rng(s), {}, 1.0)) == 1 for s in range(10))


def test_all_four_operations_come_about_equally_often() -> None:
    lengths = Counter(len(augmented(TEXT, rng(s), NEIGHBOURS, 0.2).split()) - 12 for s in range(1200))
    # Two words more: insertion. As many: replacement and swapping. The others: deletion, mostly.
    assert lengths[2] / 1200 == pytest.approx(0.25, abs=0.05)
    assert (lengths[0] + lengths[2]) / 1200 == pytest.approx(0.75 + 0.25 * 0.8**12, abs=0.05)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.integers(0, 99), st.floats(0.01, 1))
def test_every_text_with_words_stays_one_and_the_generator_decides(
    text: str, seed: int, strength: float
) -> None:
    once = augmented(text, rng(seed), NEIGHBOURS, strength)
    assert bool(once.split()) == bool(text.split())
    assert once == augmented(text, rng(seed), NEIGHBOURS, strength)


def corpus() -> list[str]:
    things, places = ("cane", "crutch", "rollator"), ("kitchen", "garden", "street")
    return [
        f"a {thing} has a {part} so use the {thing} in our {place} today"
        for thing in things
        for part in ("grip", "handle")
        for place in places
    ]


def test_words_of_like_contexts_are_neighbours() -> None:
    neighbours = learn_neighbours(corpus())
    assert set(neighbours["cane"][:2]) == {"crutch", "rollator"}
    assert set(neighbours["kitchen"][:2]) == {"garden", "street"}
    assert neighbours["grip"][0] == "handle"


def test_words_of_most_documents_have_no_neighbours_and_are_none() -> None:
    neighbours = learn_neighbours(corpus())
    met = set(neighbours) | {word for near in neighbours.values() for word in near}
    assert met == {"cane", "crutch", "rollator", "grip", "handle", "kitchen", "garden", "street"}


def test_neighbours_do_not_depend_on_the_order_of_the_documents() -> None:
    texts = corpus()
    assert learn_neighbours(texts) == learn_neighbours(texts[::-1])


@pytest.mark.parametrize("texts", [[], ["a word"], ["1 2 3", "4 5"]])
def test_where_nothing_recurs_nothing_is_learned(texts: list[str]) -> None:
    assert learn_neighbours(texts) == {}
