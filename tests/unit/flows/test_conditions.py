"""What each condition puts into a training set."""

from dataclasses import replace

import numpy as np
import pytest

from flows.conditions import CONDITIONS, Composition, Scene, Segment
from services.domain.corpus import Corpus
from services.domain.document import Document, Provenance
from services.domain.errors import PreconditionError
from services.domain.task import Task, TaskType

TASK = Task(TaskType.MULTI_LABEL, ("a", "b", "c"))
LABELS = (("a",), ("b",), ("a", "b"), ("a",), ("b",), ("c",))


def scene(count: int = 6, source: str = "", new: int = 8) -> Scene:
    real = Corpus(TASK, tuple(Document(f"r{i}", f"text {i}", LABELS[i % 6], f"f{i}") for i in range(6 + new)))
    made = Provenance("g", "markov", source_id=source)
    synthetic = Corpus(
        TASK,
        tuple(Document(f"s{i}", f"new {i}", LABELS[i % 3], f"s{i}", provenance=made) for i in range(count)),
    )
    return Scene(Segment("real", real), np.arange(6), np.arange(6, 6 + new), Segment("syn", synthetic), count)


def composed(name: str, stage: Scene, seed: int = 0, **settings: int) -> Composition:
    return CONDITIONS.get(name).compose(stage, np.random.default_rng(seed), settings)


def size(composition: Composition) -> float:
    return sum(stage.document_count for stage in composition.plan.stages)


@pytest.mark.parametrize("name", ["synthesis", "row_twin", "resampled_twin", "new_real"])
def test_arms_and_controls_have_equal_sizes(name: str) -> None:
    assert size(composed(name, scene())) == 12


def test_the_row_twin_keeps_every_real_row_and_copies_within_label_sets() -> None:
    stage = scene()
    (part,) = composed("row_twin", stage).plan.stages[0].parts
    assert part.rows.tolist() == [0, 1, 2, 3, 4, 5]
    assert (part.weights >= 1).all()
    # Two synthetic documents per label set a, b and ab; only row 2 carries ab; none carries c.
    assert part.weights[2] == 3
    assert part.weights[0] + part.weights[3] == 4
    assert part.weights[5] == 1


def test_a_named_source_is_the_donor() -> None:
    (part,) = composed("row_twin", scene(source="r5")).plan.stages[0].parts
    assert part.weights.tolist() == [1, 1, 1, 1, 1, 7]


def test_the_share_without_donor_is_reported() -> None:
    stage = scene()
    without_b = replace(stage, real_rows=np.array([0, 3, 5]))
    assert composed("row_twin", without_b).estimates["without_donor_share"] == pytest.approx(4 / 6)


def test_rungs_replace_copies_by_new_documents_and_are_nested() -> None:
    stage = scene()
    twin = composed("row_twin", stage).plan.stages[0].parts[0]
    kept, new = composed("row_twin", stage, new_real=4).plan.stages[0].parts
    assert new.rows.tolist() == [6, 7, 8, 9]
    assert not new.scored
    assert kept.weights.sum() == 8
    assert (kept.weights <= twin.weights).all()


def test_the_resampled_twin_loses_documents() -> None:
    lost = [composed("resampled_twin", scene(count=1), seed).estimates["lost_share"] for seed in range(20)]
    assert 0.1 < np.mean(lost) < 0.6


def test_only_real_documents_of_the_regime_are_scored() -> None:
    for name in CONDITIONS.names():
        for part in composed(name, scene()).plan.stages[0].parts:
            assert part.scored == (part.segment == "real" and part.rows.max() < 6)


def test_too_few_documents_are_an_error_not_a_smaller_arm() -> None:
    with pytest.raises(PreconditionError, match="only 2 outside"):
        composed("new_real", scene(new=2))
    with pytest.raises(PreconditionError, match="needs 9 synthetic"):
        composed("synthesis", replace(scene(), count=9))
    with pytest.raises(PreconditionError, match="not 0"):
        composed("synthesis", replace(scene(), synthetic=None))
