"""Clauses of several documents put together."""

from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.task import LabelSet, Task, TaskType
from services.generator.backends import BACKENDS, Candidate, WriteRequest
from services.generator.clauses import LONGEST_WORDS, clauses, joined, recombined
from services.generator.planning import GenerationSpec
from services.generator.synthesis import prepare
from services.storage.store import Store

TASK = Task(TaskType.MULTI_LABEL, ("a", "b", "c"))


def document(name: str, text: str, *labels: str, family: str = "") -> Document:
    return Document(name, text, labels, family or name)


def write(real: list[Document], labels: LabelSet, count: int = 40, **parameters: Any) -> list[Candidate]:
    writer = BACKENDS.get("recombine").prepare(TASK, Corpus(TASK, tuple(real)), parameters, 1)
    return list(writer.write([WriteRequest(i, 1, labels) for i in range(count)]))


REAL = [
    document("d0", "One begins, one goes on, one ends.", "a"),
    document("d1", "Two begins, two goes on, two ends.", "a"),
    document("d2", "Three begins, three goes on, three ends.", "a"),
    document("d3", "Four begins, four goes on, four ends.", "a", "b"),
    document("d4", "Five begins, five goes on, five ends.", "c"),
]


def test_text_is_cut_at_punctuation_that_a_space_follows() -> None:
    assert clauses("A cane, 1.5 m long; it folds. Yes") == ("A cane,", "1.5 m long;", "it folds.", "Yes")


@given(st.lists(st.sampled_from(["cane", "grip,", "of", "tip.", "1.5"]), min_size=1, max_size=80))
def test_clauses_are_the_text_and_none_is_long(words: list[str]) -> None:
    pieces = clauses("  ".join(words))
    assert " ".join(pieces) == " ".join(words)
    assert max(len(piece.split()) for piece in pieces) <= LONGEST_WORDS


@given(
    st.lists(st.integers(1, 9).map(lambda n: ["x"] * n), min_size=2, max_size=6),
    st.integers(0, 999),
)
def test_no_donor_gives_more_than_every_second_clause(donors: list[list[str]], seed: int) -> None:
    parts = recombined(donors, np.random.default_rng(seed))
    assert all(one.donor != other.donor for one, other in pairwise(parts))
    assert len(parts) in {max(2, len(donor)) for donor in donors}


def test_clauses_stand_about_where_they_stood() -> None:
    donors = [[f"{name}{i}" for i in range(4)] for name in "xyz"]
    for seed in range(30):
        places = [int(part.clause[1]) for part in recombined(donors, np.random.default_rng(seed))]
        assert places == [0, 1, 2, 3]


def test_joined_text_begins_with_a_capital_and_ends_with_a_stop() -> None:
    assert joined(["one goes on,", "two ends,"]) == "One goes on, two ends."
    assert joined(["is it?", "is it?"]) == "Is it?"


def test_donors_are_named_and_their_labels_are_the_wanted_ones() -> None:
    for candidate in write(REAL, ("a",)):
        assert set(candidate.donor_ids) <= {"d0", "d1", "d2"}
        assert len(candidate.donor_ids) >= 2
        assert candidate.source is None


def test_number_of_donors_is_capped() -> None:
    assert {len(c.donor_ids) for c in write(REAL, ("a",), donors=2)} == {2}


def test_without_two_documents_of_a_label_set_the_nearest_ones_give() -> None:
    # {a, b} is shared by half with each {a}, and not at all with {c}.
    used = Counter(donor for c in write(REAL, ("a", "b")) for donor in c.donor_ids)
    assert set(used) == {"d0", "d1", "d2", "d3"}


def test_label_set_of_one_family_fails() -> None:
    kin = [
        *REAL[:4],
        document("d5", "Six is here.", "c", family="k"),
        document("d6", "Six!", "c", family="k"),
    ]
    assert {c.failure for c in write(kin, ("c",), 5)} == {"no_donors"}
    assert {c.failure for c in write([*REAL, kin[-1]], ("c",), 5)} == {""}


def test_equal_texts_of_two_families_are_one_donor() -> None:
    twins = [REAL[0], document("d7", REAL[0].text.upper(), "a")]
    assert {c.failure for c in write(twins, ("a",), 5)} == {"no_donors"}


def test_clauses_that_add_up_to_a_real_document_are_rejected_as_its_copy(store: Store) -> None:
    real = [
        document("d0", "One, two.", "a"),
        document("d1", "One, three.", "b"),
        document("d2", "Four, two.", "b"),
    ]
    spec = GenerationSpec(
        "g", "recombine", {}, "label_conditioned", 1, TASK, Corpus(TASK, tuple(real)), "given", (("b",),)
    )
    outcomes = list(prepare(spec, store).outcomes(0, 40))
    texts = {o.document.text for o in outcomes if o.document}
    assert texts == {"Four, three."}
    assert {o.rejection_reason for o in outcomes} == {"", "copy_of_source"}


def test_donors_stand_in_the_provenance(store: Store) -> None:
    corpus = Corpus(TASK, tuple(REAL))
    spec = GenerationSpec("g", "recombine", {}, "label_conditioned", 1, TASK, corpus, "given", (("a",),))
    for outcome in prepare(spec, store).outcomes(0, 10):
        if outcome.document is not None and outcome.document.provenance is not None:
            assert len(outcome.document.provenance.exemplar_ids) >= 2
            assert outcome.document.provenance.source_id == ""


def test_fewer_than_two_donors_are_refused() -> None:
    with pytest.raises(InvalidInputError) as error:
        write(REAL, ("a",), donors=1)
    assert error.value.field == "parameters.donors"
