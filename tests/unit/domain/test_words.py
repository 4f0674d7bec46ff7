"""Corpora, plans, seeds, digests and label masks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.domain.corpus import Corpus
from services.domain.digest import canonical_json, spec_digest
from services.domain.document import Document
from services.domain.errors import InvalidInputError, NotFoundError, StudyError
from services.domain.labels import jaccard, label_masks
from services.domain.measurement import Measurement
from services.domain.plan import Part, Stage, TrainingPlan
from services.domain.pool import Pool
from services.domain.registry import Registry
from services.domain.seeds import derived_seed, stream
from services.domain.task import Task, TaskType

TASK = Task(TaskType.MULTI_LABEL, ("braille", "cane", "ramp"))


def document(identifier: str, *labels: str, text: str = "a text") -> Document:
    return Document(identifier, text, labels or ("cane",), f"family-{identifier}")


def test_a_corpus_encodes_labels_in_the_tasks_order() -> None:
    corpus = Corpus(TASK, (document("1", "ramp", "braille"), document("2", "cane")))
    assert corpus.indicator.tolist() == [[True, False, True], [False, True, False]]
    assert TASK.decode(corpus.indicator) == (("braille", "ramp"), ("cane",))


@pytest.mark.parametrize(
    ("documents", "field", "words"),
    [
        ((), "documents", "at least one"),
        ((document("1"), document("1")), "documents.id", "'1' (2 times)"),
        ((document("1", text=" \n"),), "documents[0].text", "no text"),
        ((Document("1", "t", (), "f"),), "documents[0].labels", "no labels"),
        ((document("1", "stairs"),), "documents[0].labels", "'stairs'"),
    ],
)
def test_bad_documents_are_refused_with_their_field(
    documents: tuple[Document, ...], field: str, words: str
) -> None:
    with pytest.raises(InvalidInputError) as error:
        Corpus(TASK, documents)
    assert error.value.field == field
    assert words in error.value.message


def test_a_single_label_task_refuses_two_labels() -> None:
    task = Task(TaskType.SINGLE_LABEL, ("a", "b"))
    with pytest.raises(InvalidInputError, match="2 labels in a single-label task"):
        Corpus(task, (document("1", "a", "b"),))


def test_streams_depend_on_their_names_only() -> None:
    first = stream(7, "copies", 3).random(4)
    assert np.array_equal(first, stream(7, "copies", 3).random(4))
    assert not np.array_equal(first, stream(7, "copies", 4).random(4))
    assert derived_seed(7, "a", "b") != derived_seed(7, "ab")
    assert 0 <= derived_seed(2**63 - 1, "x") < 2**63


def test_equal_specifications_have_equal_digests_whatever_their_order() -> None:
    assert spec_digest({"a": 1, "b": [1.5, None]}) == spec_digest({"b": [1.5, None], "a": 1})
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))


@given(st.lists(st.lists(st.booleans(), min_size=70, max_size=70), min_size=1, max_size=8))
def test_jaccard_on_masks_equals_jaccard_on_sets(rows: list[list[bool]]) -> None:
    indicator = np.array(rows)
    masks = label_masks(indicator)
    found = jaccard(masks, masks)
    for i, a in enumerate(rows):
        for j, b in enumerate(rows):
            left = {k for k, on in enumerate(a) if on}
            right = {k for k, on in enumerate(b) if on}
            expected = len(left & right) / len(left | right) if left | right else 0.0
            assert found[i, j] == expected


def part(rows: list[int], weights: list[float] | None = None, segment: str = "s") -> Part:
    values = weights or [1.0] * len(rows)
    return Part(segment, np.array(rows), np.array(values, dtype=np.float32), scored=True)


def test_a_plans_digest_changes_with_weights_but_not_with_unused_segments() -> None:
    one = TrainingPlan((Stage((part([0, 2]),)),))
    same = TrainingPlan((Stage((part([0, 2]),)),))
    heavier = TrainingPlan((Stage((part([0, 2], [1.0, 2.0]),)),))
    assert one.digest == same.digest != heavier.digest
    assert one.segments == ("s",)
    assert heavier.stages[0].document_count == 3.0


def test_a_plan_that_hides_nothing_and_tunes_nothing_has_the_digest_under_which_results_are_stored() -> None:
    (stage,) = TrainingPlan((Stage((part([0, 2], [1.0, 2.0]),), "focal"),)).stages
    plain = TrainingPlan((stage,))
    # As it was before labels could be hidden and strengths be chosen.
    assert plain.digest == "0baf8af4cc9e28d9478e0be87549287722b3b1c50631eebe25977e8d31aa8a43"
    (labelled,) = stage.parts
    hidden = replace(labelled, scored=False, predicted=True)
    unscored = TrainingPlan((replace(stage, parts=(replace(labelled, scored=False),)),))
    assert TrainingPlan((replace(stage, parts=(hidden,)),)).digest != unscored.digest
    assert len({TrainingPlan((stage,), s).digest for s in ((), (1.0,), (1.0, 2.0))}) == 3


@pytest.mark.parametrize(
    ("rows", "weights"), [([0, 0], [1, 1]), ([-1], [1]), ([1], [0]), ([1], [np.nan]), ([], [])]
)
def test_bad_parts_are_refused(rows: list[int], weights: list[float]) -> None:
    with pytest.raises(InvalidInputError):
        Part("s", np.array(rows, dtype=np.int64), np.array(weights, dtype=np.float32), scored=False)


def test_a_pool_lays_segments_end_to_end_and_knows_their_ends() -> None:
    pool = Pool(("a", "b"), (3, 2))
    assert pool.rows([part([1], segment="b"), part([2], segment="a")]).tolist() == [4, 2]
    with pytest.raises(InvalidInputError, match="beyond the 2 documents"):
        pool.rows([part([2], segment="b")])


def test_a_measurement_is_a_value_or_a_reason() -> None:
    Measurement("micro_f1", None, 0, undefined_reason="no positive labels")
    with pytest.raises(InvalidInputError):
        Measurement("micro_f1", None, 0)
    with pytest.raises(InvalidInputError):
        Measurement("micro_f1", 0.5, 3, undefined_reason="but why")


def test_an_unknown_name_is_answered_with_those_that_exist() -> None:
    registry: Registry[int] = Registry("numbers", "services.domain")
    registry.register("two", 2)
    with pytest.raises(NotFoundError, match="no 'three'; there are: two"):
        registry.get("three")
    with pytest.raises(InvalidInputError, match="taken"):
        registry.register("two", 3)


def test_errors_survive_pickling() -> None:
    import pickle

    error = InvalidInputError("a label is missing", field="labels")
    copy = pickle.loads(pickle.dumps(error))
    assert isinstance(copy, StudyError)
    assert (copy.message, copy.metadata) == (error.message, error.metadata)
