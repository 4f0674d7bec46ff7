"""Specifications, outcomes and the label set of each candidate."""

from dataclasses import replace
from typing import Any

import pytest

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.task import Task, TaskType
from services.generator.planning import GenerationSpec, Outcome, label_drawer

TASK = Task(TaskType.MULTI_LABEL, ("a", "b", "c"))
REAL = Corpus(
    TASK,
    tuple(
        Document(f"d{i}", f"text {i}", labels, f"d{i}")
        for i, labels in enumerate([("a",), ("a", "b"), ("a", "b"), ("a", "b"), ("c",)])
    ),
)
SPEC = GenerationSpec("gen", "simulator", {}, "label_conditioned", 7, TASK, REAL, "empirical")


def test_empirical_label_sets_follow_the_joint_distribution() -> None:
    draw = label_drawer(SPEC, REAL, None)
    drawn = [draw(i) for i in range(1000)]
    assert set(drawn) == {("a",), ("a", "b"), ("c",)}
    assert drawn.count(("a", "b")) / 1000 == pytest.approx(0.6, abs=0.05)


def test_given_label_sets_are_drawn_with_replacement() -> None:
    spec = replace(SPEC, label_source="given", label_sets=(("c",), ("b", "c")))
    draw = label_drawer(spec, None, None)
    assert {draw(i) for i in range(30)} == {("c",), ("b", "c")}


def test_label_set_depends_on_seed_and_index_only() -> None:
    draw = label_drawer(SPEC, REAL, None)
    backwards = [draw(i) for i in reversed(range(50))]
    assert [draw(i) for i in range(50)] == backwards[::-1]
    other = label_drawer(replace(SPEC, seed=8), REAL, None)
    assert [draw(i) for i in range(50)] != [other(i) for i in range(50)]


def test_backend_law_is_refused_where_there_is_none() -> None:
    with pytest.raises(InvalidInputError, match="label law"):
        label_drawer(replace(SPEC, label_source="backend"), REAL, None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"label_source": "guessed"}, "label_source"),
        ({"strategy": "back_translation"}, "strategy"),
        ({"seed": -1}, "seed"),
        ({"label_source": "given"}, "label_sets"),
        ({"label_source": "given", "label_sets": (("a",), ())}, "label_sets[1]"),
        ({"label_source": "given", "label_sets": (("z",),)}, "label_sets[0]"),
        ({"real": None}, "real"),
    ],
)
def test_wrong_specification_names_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        replace(SPEC, **changes)
    assert error.value.field == field


def test_any_change_changes_the_digest() -> None:
    changes: list[dict[str, Any]] = [
        {"seed": 8},
        {"parameters": {"preset": "noisy"}},
        {"generator": "other"},
        {"genre": "claim"},
        {"real": REAL.take([0, 1])},
    ]
    digests = {SPEC.digest} | {replace(SPEC, **change).digest for change in changes}
    assert len(digests) == len(changes) + 1


def test_outcome_is_one_of_three() -> None:
    with pytest.raises(ValueError, match="one of"):
        Outcome(0)
    with pytest.raises(ValueError, match="one of"):
        Outcome(0, rejection_reason="empty", failure_reason="timeout")
