from hypothesis import given
from hypothesis import strategies as st

from flows.families import duplicate_groups, families_of

TEXTS = st.lists(st.sampled_from(["one", "One ", "two", "three", "four"]), min_size=1, max_size=8)


def test_equal_texts_share_a_family_without_a_column() -> None:
    families = families_of(["a b", "A  b", "c"], ["", "", ""])
    assert families[0] == families[1] != families[2]


def test_texts_without_words_are_equal_only_when_they_are_the_same() -> None:
    assert len(set(families_of(["!?", "?!", " !?"], ["", "", ""]))) == 2


def test_a_duplicate_joins_two_named_families() -> None:
    families = families_of(["a", "x", "A", "y"], ["f1", "f1", "f2", "f2"])
    assert set(families) == {"f1"}


def test_a_chain_of_texts_and_names_is_one_family() -> None:
    assert len(set(families_of(["a", "a", "b", "b"], ["", "n", "n", ""]))) == 1


@given(TEXTS)
def test_order_of_rows_does_not_name_families(texts: list[str]) -> None:
    named = ["f" if text == "two" else "" for text in texts]
    forward = families_of(texts, named)
    backward = families_of(texts[::-1], named[::-1])
    assert forward == backward[::-1]


def test_only_repeated_texts_are_duplicates() -> None:
    assert list(duplicate_groups(["a", "b", "A"]).values()) == [[0, 2]]
