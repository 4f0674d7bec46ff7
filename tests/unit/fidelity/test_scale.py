"""Floor, ceiling, and the permutation test that families allow."""

import numpy as np
import pytest

from services.domain.corpus import Corpus
from services.domain.document import Document, Provenance
from services.domain.errors import InvalidInputError
from services.domain.task import Task, TaskType
from services.evaluator.fidelity import Sample
from services.evaluator.fidelity.floor_ceiling import Scale, draw, measure_scale, split
from services.evaluator.fidelity.mmd2 import SquaredMmd
from services.evaluator.fidelity.mmd2_p import MmdPermutation
from services.evaluator.fidelity.samples import corpus_sample, dependence, family_names

TASK = Task(TaskType.MULTI_LABEL, ("a",))
METRIC = SquaredMmd()


def sample(rng: np.random.Generator, count: int, shift: float = 0.0, per_family: int = 1) -> Sample:
    x = rng.normal(size=(count, 12)) + shift * np.eye(12)[0]
    unit = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    return Sample(unit, np.arange(count) // per_family)


def corpus(prefix: str, count: int, source: str | None = None, family: str = "") -> Corpus:
    origin = None if source is None else Provenance("g", "b", source_id=source)
    return Corpus(
        TASK,
        tuple(
            Document(
                f"{prefix}{i}", f"text {prefix} {i}", ("a",), f"{family or prefix}{i}", provenance=origin
            )
            for i in range(count)
        ),
    )


def test_floor_is_near_zero_and_ceiling_above() -> None:
    rng = np.random.default_rng(1)
    reference, far = sample(rng, 200, 1.0), sample(rng, 120, -1.0)
    scale = measure_scale(METRIC, reference, far, 100, METRIC.settings(reference), rng)
    assert scale is not None
    assert abs(scale.floor) < 3 * scale.floor_sd
    assert scale.ceiling is not None and scale.ceiling > 10 * scale.floor_sd
    assert scale.normalised(scale.floor) == 0
    assert scale.normalised(scale.ceiling) == 1


def test_scale_is_never_clipped() -> None:
    scale = Scale(0.0, 0.01, 1.0)
    assert scale.normalised(-0.2) == pytest.approx(-0.2)
    assert scale.normalised(1.5) == pytest.approx(1.5)


def test_narrow_gap_gives_no_scale() -> None:
    assert Scale(0.0, 0.3, 1.0).normalised(0.5) is None
    assert Scale(0.2, 0.0, 0.2).normalised(0.5) is None
    assert Scale(0.2, 0.01, None).normalised(0.5) is None


def test_tiny_reference_gives_no_scale() -> None:
    rng = np.random.default_rng(2)
    assert measure_scale(METRIC, sample(rng, 3), None, 1, {"bandwidth": 1.0}, rng) is None


@pytest.mark.parametrize("per_family", [1, 3, 7])
def test_halves_share_no_family_and_have_equal_size(per_family: int) -> None:
    rng = np.random.default_rng(3)
    one, other = split(sample(rng, 100, per_family=per_family), 50, rng)
    assert len(one) == len(other) > 40
    assert not set(one.families) & set(other.families)


def test_one_family_has_no_halves() -> None:
    rng = np.random.default_rng(4)
    one, other = split(sample(rng, 10, per_family=10), 5, rng)
    assert (len(one), len(other)) == (0, 0)


def test_draw_takes_families_whole_as_far_as_they_fit() -> None:
    rng = np.random.default_rng(5)
    drawn = draw(sample(rng, 60, per_family=6), 20, rng)
    assert sorted(np.unique(drawn.families, return_counts=True)[1]) == [2, 6, 6, 6]


@pytest.mark.parametrize(("per_family", "highest"), [(1, 0.12), (5, 0.12)])
def test_permutation_keeps_its_level_with_several_texts_per_source(per_family: int, highest: float) -> None:
    rng = np.random.default_rng(7)
    rejections = 0
    for _ in range(120):
        sources = sample(rng, 40)
        rows = np.repeat(np.arange(40), per_family)
        found = MmdPermutation()(sample(rng, 60), [Sample(sources.embeddings[rows], rows)], {}, [rng])
        rejections += found[0].value is not None and found[0].value < 0.05
    assert rejections / 120 < highest


def test_permutation_finds_another_distribution() -> None:
    rng = np.random.default_rng(8)
    (found,) = MmdPermutation()(sample(rng, 80), [sample(rng, 80, 2.0)], {}, [rng])
    assert found.value == pytest.approx(0.001)


def test_no_p_value_from_few_families() -> None:
    rng = np.random.default_rng(9)
    (found,) = MmdPermutation()(sample(rng, 80), [sample(rng, 60, per_family=4)], {}, [rng])
    assert found.value is None
    assert found.undefined_reason == "15 families a side, fewer than 20"


def test_families_are_exchangeable_only_where_sources_are_known() -> None:
    real = corpus("r", 5)
    assert dependence(corpus("s", 5, source="train-1"), real) == ""
    assert dependence(corpus("s", 5), real) == ""
    assert "name no source" in dependence(corpus("s", 5, source=""), real)
    assert "stand in the reference" in dependence(corpus("s", 5, source="r1", family="r"), real)
    copied = Corpus(TASK, (Document("x", "text r 1", ("a",), "x"),))
    assert "different families" in dependence(copied, real)


def test_family_on_both_sides_has_one_code() -> None:
    real, written = corpus("r", 3), corpus("s", 4, source="r1", family="r")
    names = family_names([real, written])
    one = corpus_sample(real, np.eye(3, dtype=np.float32), None, "embeddings", names)
    other = corpus_sample(written, np.eye(4, dtype=np.float32), real, "embeddings", names)
    assert one.families.tolist() == other.families[:3].tolist()
    assert other.families[3] not in one.families


def test_labels_stand_in_the_columns_of_the_reference() -> None:
    def with_labels(*order: str) -> Corpus:
        return Corpus(Task(TaskType.MULTI_LABEL, order), (Document("x", "text", ("b",), "x"),))

    rows = np.eye(1, dtype=np.float32)
    turned = corpus_sample(with_labels("b", "a"), rows, with_labels("a", "b"), "embeddings")
    assert turned.labels is not None and turned.labels.tolist() == [[False, True]]
    assert corpus_sample(with_labels("b"), rows, with_labels("a", "b"), "embeddings").labels is None


def test_vectors_that_are_not_of_unit_length_name_their_row() -> None:
    rows = np.eye(3, dtype=np.float32)
    rows[1] *= 1e30
    with pytest.raises(InvalidInputError, match="row 1 has length"):
        corpus_sample(corpus("r", 3), rows, None, "embeddings")
