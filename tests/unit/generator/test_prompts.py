"""What language models would be asked."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.task import LabelSet
from services.generator.backends import WriteRequest
from services.generator.prompts import names_label, prompt_families, prompt_family, render
from services.generator.simulation.phrasing import load_wording
from services.generator.simulation.taxonomy import load_taxonomy

FAMILIES = sorted(prompt_families())
SLOT = re.compile(r"\{\w*\}")
EXEMPLARS = (Document("e1", "A folding stick.", ("Smart canes",), "e1"),)
DEFINITIONS = {"Smart canes": "walking sticks that sense obstacles", "Pet robots": "machines for company"}


def request(labels: LabelSet = ("Smart canes", "Pet robots"), genre: str = "abstract") -> WriteRequest:
    return WriteRequest(0, 1, labels, genre=genre, exemplars=EXEMPLARS)


def rewriting(text: str, genre: str) -> WriteRequest:
    return WriteRequest(
        0, 1, ("Smart canes",), genre=genre, source=Document("s", text, ("Smart canes",), "s")
    )


def test_there_is_a_family_for_each_genre_of_the_study() -> None:
    wanted = {"abstract", "claim", "product_description", "news", "technical_qa", "examiner_report"}
    assert set(FAMILIES) == wanted
    assert wanted <= set(load_wording().genres)


@pytest.mark.parametrize("name", FAMILIES)
def test_family_has_the_slots_it_fills_and_no_others(name: str) -> None:
    family = prompt_family(name)
    assert sorted(SLOT.findall(family.label_conditioned)) == ["{exemplars}", "{subjects}"]
    assert SLOT.findall(family.paraphrase) == ["{source}"]
    assert not SLOT.findall(family.system + family.exemplars)


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=25, deadline=None)
@given(labels=st.lists(st.sampled_from(load_taxonomy().task().labels), min_size=1, max_size=6, unique=True))
def test_every_family_names_every_label_of_every_set(name: str, labels: list[str]) -> None:
    prompt = render(WriteRequest(0, 1, tuple(labels), genre=name))
    assert all(f"- {label}" in prompt.user for label in labels)
    assert not SLOT.search(prompt.user)
    assert [message["role"] for message in prompt.messages] == ["system", "user"]


@pytest.mark.parametrize("name", FAMILIES)
def test_paraphrase_shows_the_source_whatever_stands_in_it(name: str) -> None:
    odd = 'A "stick" with {source}, {subjects} and {0}.'
    assert render(rewriting(odd, name)).user.endswith(odd)
    assert "Smart canes" not in render(rewriting(odd, name)).user


def test_definitions_stand_behind_the_names_and_exemplars_at_the_end() -> None:
    user = render(request(), {"Pet robots": "machines for company"}).user
    assert "- Smart canes\n- Pet robots: machines for company\n" in user
    assert user.endswith(f"{prompt_family('abstract').exemplars}\n\nExample 1:\nA folding stick.")


@pytest.mark.parametrize("name", FAMILIES)
def test_labels_may_be_described_and_never_named(name: str) -> None:
    prompt = render(request(genre=name), DEFINITIONS, name_labels=False)
    assert all(f"- {definition}" in prompt.user for definition in DEFINITIONS.values())
    assert not any(names_label(prompt.system + prompt.user, label) for label in DEFINITIONS)


@pytest.mark.parametrize(
    ("definitions", "exemplar", "field", "says"),
    [
        ({"Smart canes": "sticks"}, "A stick.", "definitions", "Pet robots"),
        (DEFINITIONS | {"Pet robots": "not smart  CANES"}, "A stick.", "definitions", "Smart canes"),
        (DEFINITIONS, "Pet-robots are nice.", "exemplars", "e9"),
    ],
)
def test_label_that_would_be_named_after_all_is_refused(
    definitions: dict[str, str], exemplar: str, field: str, says: str
) -> None:
    asked = WriteRequest(
        0, 1, ("Smart canes", "Pet robots"), exemplars=(Document("e9", exemplar, ("x",), "e9"),)
    )
    with pytest.raises(InvalidInputError, match=says) as error:
        render(asked, definitions, name_labels=False)
    assert error.value.field == field


@pytest.mark.parametrize(
    ("text", "label", "named"),
    [
        ("Two smart-canes.", "Smart canes", True),
        ("A smart cane.", "Smart canes", False),
        ("A chip of a card.", "hip", False),
        ("Is it C++?", "++", True),
    ],
)
def test_label_is_named_by_its_words_in_a_row(text: str, label: str, named: bool) -> None:
    assert names_label(text, label) == named


def test_unknown_genre_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidInputError, match=r"abstract, claim, .*technical_qa") as error:
        render(request(genre="title"))
    assert error.value.field == "genre"


def test_no_labels_are_no_prompt() -> None:
    with pytest.raises(InvalidInputError) as error:
        render(request(labels=()))
    assert error.value.field == "labels"


def test_digests_tell_prompts_and_families_apart() -> None:
    asked = [render(request(genre=name)) for name in FAMILIES] + [render(request(("Smart canes",)))]
    assert len({prompt.digest for prompt in asked}) == len(asked)
    assert render(request()).digest == render(request()).digest
    assert len({prompt_family(name).digest for name in FAMILIES}) == len(FAMILIES)
    assert render(request(genre="")).family == "abstract"
