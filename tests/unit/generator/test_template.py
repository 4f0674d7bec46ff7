"""Key terms of labels, and sentences filled with them."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.task import LabelSet, Task, TaskType
from services.generator.backends import BACKENDS, Candidate, WriteRequest
from services.generator.key_terms import key_terms
from services.generator.prompts import prompt_families
from services.generator.sentences import load_templates

TASK = Task(TaskType.MULTI_LABEL, ("cane", "lens", "ramp"))
TEXTS: list[tuple[str, LabelSet]] = [
    ("The soft grip of a walking stick.", ("cane",)),
    ("A soft grip, a metal tip.", ("cane",)),
    ("Lens coating on a metal frame.", ("lens",)),
    ("A lens coating of glass and a soft frame.", ("lens",)),
]
REAL = Corpus(TASK, tuple(Document(f"r{i}", t, labels, f"r{i}") for i, (t, labels) in enumerate(TEXTS)))
NONE = frozenset({"the", "of", "a", "on", "and"})
GIVEN = {"cane": ["alpha", "beta"], "lens": ["gamma"], "ramp": ["delta"]}


def write(labels: LabelSet, count: int = 40, genre: str = "", **parameters: Any) -> list[Candidate]:
    writer = BACKENDS.get("template").prepare(TASK, None, {"terms": GIVEN, **parameters}, 1)
    return list(writer.write([WriteRequest(i, 1, labels, genre=genre) for i in range(count)]))


def test_key_terms_are_ranked_by_class_based_tf_idf() -> None:
    terms = key_terms(REAL, 5, NONE)
    # In two of two documents, 2 · ln(1 + 2/2); "soft" is in one lens document too, 2 · ln(1 + 2/3).
    assert 2 * math.log(2) > 2 * math.log(1 + 2 / 3) > math.log(2)
    assert terms["cane"][:2] == ("grip", "soft grip")
    assert terms["lens"][:3] == ("coating", "frame", "lens")
    assert "soft" not in terms["cane"][:2]


def test_terms_of_one_document_or_of_most_come_last() -> None:
    # "soft" is in three documents of four, "stick" in one.
    assert key_terms(REAL, 9, NONE)["cane"][-1] != "grip"
    assert set(key_terms(REAL, 9, NONE)["cane"][:3]) == {"grip", "soft grip", "metal"}


def test_pairs_cross_no_punctuation_and_hold_no_function_word() -> None:
    found = {term for terms in key_terms(REAL, 99, NONE).values() for term in terms}
    assert "soft grip" in found
    assert not {"grip metal", "lens coating of", "coating glass"} & found


@pytest.mark.parametrize("genre", sorted(load_templates().genres))
def test_every_genre_fills_every_slot(genre: str) -> None:
    definitions = {"cane": "what one walks with"}
    texts = [c.text for c in write(("cane", "lens"), 60, genre, definitions=definitions)]
    assert not [text for text in texts if "{" in text or "}" in text]
    assert all("what one walks with" in text for text in texts)
    assert {c.genre for c in write(("cane",), 1, genre)} == {genre}


def test_every_label_has_its_turn_and_no_other_shows() -> None:
    for candidate in write(("cane", "lens"), sentences=1):
        assert "gamma" in candidate.text and ("alpha" in candidate.text or "beta" in candidate.text)
        assert "delta" not in candidate.text


def test_terms_are_learned_for_labels_that_none_are_given_for() -> None:
    writer = BACKENDS.get("template").prepare(TASK, REAL, {"terms": {"cane": ["alpha"]}}, 1)
    (candidate,) = writer.write([WriteRequest(0, 1, ("cane", "lens"))])
    assert "alpha" in candidate.text
    assert "grip" not in candidate.text
    assert any(term in candidate.text for term in ("coating", "frame", "lens"))


def test_label_without_terms_fails_and_says_which() -> None:
    writer = BACKENDS.get("template").prepare(TASK, REAL, {}, 1)
    (candidate,) = writer.write([WriteRequest(0, 1, ("cane", "ramp"))])
    assert candidate.failure == "no_terms" and "ramp" in candidate.detail


def test_genres_are_those_that_prompts_are_written_for() -> None:
    assert set(load_templates().genres) == set(prompt_families())


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({}, "real"),
        ({"terms": {"boat": ["hull"]}}, "parameters.terms"),
        ({"terms": {"cane": []}}, "parameters.terms"),
        ({"terms": {"cane": "grip"}}, "parameters.terms"),
        ({"terms": GIVEN, "definitions": {"cane": ""}}, "parameters.definitions"),
        ({"terms": GIVEN, "sentences": 0}, "parameters.sentences"),
    ],
)
def test_wrong_parameters_are_refused(parameters: Mapping[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        BACKENDS.get("template").prepare(TASK, None, parameters, 1)
    assert error.value.field == field


def test_genre_without_sentences_is_refused_with_those_that_have_some() -> None:
    with pytest.raises(InvalidInputError, match="examiner_report") as error:
        write(("cane",), genre="poem")
    assert error.value.field == "genre"
