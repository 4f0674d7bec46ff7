"""What every condition promises, whoever wrote it."""

import numpy as np
import pytest

from flows.conditions import CONDITIONS, Scene, Segment
from services.domain.corpus import Corpus
from services.domain.document import Document, Provenance
from services.domain.task import Task, TaskType

TASK = Task(TaskType.MULTI_LABEL, ("a", "b", "c", "d"))
POOL, REGIME, COUNT = 60, 20, 15


def _labels(i: int) -> tuple[str, ...]:
    return tuple(label for k, label in enumerate(TASK.labels) if (i >> k) & 1) or ("a",)


@pytest.fixture
def scene() -> Scene:
    real = Corpus(TASK, tuple(Document(f"r{i}", f"text {i}", _labels(i), f"f{i // 2}") for i in range(POOL)))
    made = Provenance("g", "markov")
    written = Corpus(
        TASK,
        tuple(
            # The last one repeats the first.
            Document(f"s{i}", f"new {i % (COUNT - 1)}", _labels(3 * i), f"s{i}", provenance=made)
            for i in range(COUNT)
        ),
    )
    return Scene(
        Segment("real", real),
        np.arange(REGIME),
        np.arange(REGIME, POOL),
        Segment("written", written),
        COUNT,
        keep=lambda corpus: Segment("derived", corpus),
    )


@pytest.fixture(params=CONDITIONS.names())
def condition(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_same_stream_gives_the_same_plan(condition: str, scene: Scene) -> None:
    plans = [
        CONDITIONS.get(condition).compose(scene, np.random.default_rng(3), {}).plan.digest for _ in range(2)
    ]
    assert plans[0] == plans[1]


def test_the_budget_is_met_exactly(condition: str, scene: Scene) -> None:
    entry = CONDITIONS.get(condition)
    composition = entry.compose(scene, np.random.default_rng(3), {})
    # What leaves documents out says how many remain.
    count = composition.estimates.get("effective_documents", COUNT)
    expected = {"baseline": REGIME, "mix": count}.get(entry.role, REGIME + count)
    assert sum(stage.document_count for stage in composition.plan.stages) == expected


def test_rows_stay_within_their_segments_and_only_real_ones_are_scored(condition: str, scene: Scene) -> None:
    plan = CONDITIONS.get(condition).compose(scene, np.random.default_rng(3), {}).plan
    sizes = {"real": POOL, "written": COUNT, "derived": COUNT}
    parts = [part for stage in plan.stages for part in stage.parts]
    for part in parts:
        assert part.rows.max() < sizes[part.segment]
        assert not (part.scored and part.segment != "real")
        # Only labels that are there can be hidden, and those of the regime are not.
        assert not (part.predicted and (part.segment != "real" or part.rows.min() < REGIME))
    # Without a real document there is nothing to score out of fold.
    assert any(part.scored for part in parts) or {part.segment for part in parts} == {"written"}


def test_nothing_is_drawn_from_the_global_generator(condition: str, scene: Scene) -> None:
    before = np.random.get_state()[1].copy()  # type: ignore[union-attr]
    CONDITIONS.get(condition).compose(scene, np.random.default_rng(3), {})
    assert np.array_equal(before, np.random.get_state()[1])  # type: ignore[arg-type]


def test_a_condition_says_what_it_is(condition: str) -> None:
    entry = CONDITIONS.get(condition)
    assert entry.version
    assert entry.role in ("treatment", "control", "ceiling", "baseline", "mix")
    assert isinstance(entry.needs_synthetic, bool)
