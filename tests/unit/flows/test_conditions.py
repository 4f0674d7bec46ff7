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
        for part in composed(name, derived(scene())[0]).plan.stages[0].parts:
            assert part.scored == (part.segment == "real" and part.rows.max() < 6)


def test_too_few_documents_are_an_error_not_a_smaller_arm() -> None:
    with pytest.raises(PreconditionError, match="only 2 outside"):
        composed("new_real", scene(new=2))
    with pytest.raises(PreconditionError, match="needs 9 synthetic"):
        composed("synthesis", replace(scene(), count=9))
    with pytest.raises(PreconditionError, match="not 0"):
        composed("synthesis", replace(scene(), synthetic=None))


def derived(stage: Scene) -> tuple[Scene, list[Corpus]]:
    """Return a scene that keeps what conditions derive in a list."""
    kept: list[Corpus] = []

    def keep(corpus: Corpus) -> Segment:
        kept.append(corpus)
        return Segment(f"derived{len(kept)}", corpus)

    return replace(stage, keep=keep), kept


@pytest.mark.parametrize(("share", "real"), [(0.0, 0), (0.5, 3), (1.0, 6)])
def test_a_mix_is_as_large_as_its_budget_whatever_its_share(share: float, real: int) -> None:
    mix = CONDITIONS.get("budget_mix").compose(scene(), np.random.default_rng(0), {"share": share})
    assert size(mix) == 6
    parts = {part.segment: len(part.rows) for part in mix.plan.stages[0].parts}
    assert parts.get("real", 0) == real
    assert parts.get("syn", 0) == 6 - real


def test_a_mix_of_more_real_documents_than_exist_is_refused() -> None:
    stage = replace(scene(count=6), real_rows=np.arange(3))
    with pytest.raises(PreconditionError, match="needs 6 real ones, and the regime has 3"):
        CONDITIONS.get("budget_mix").compose(stage, np.random.default_rng(0), {"share": 1.0})


def test_oversampling_evens_labels_out() -> None:
    stage = replace(scene(count=600), real_rows=np.array([0, 3, 6, 9, 5]))
    (part,) = composed("oversampled", stage).plan.stages[0].parts
    copies = part.weights - 1
    # Four documents of label a share one half of the copies, the one of label c has the other.
    assert copies.sum() == 600
    assert copies[4] == pytest.approx(300, abs=60)


def test_the_label_matched_twin_copies_the_synthetic_frequencies() -> None:
    stage = scene(count=300)
    (part,) = composed("label_matched_twin", stage).plan.stages[0].parts
    copies = part.weights - 1
    with_a = copies[[0, 2, 3]].sum()
    # A third of the corpus each is a, b and ab; c is never asked for.
    assert copies[5] == 0
    assert with_a > 140


def test_permuted_labels_keep_texts_and_frequencies() -> None:
    stage, kept = derived(scene(count=60))
    composed("label_permuted", stage, seed=3)
    written = stage.written().corpus
    assert kept[0].texts == written.texts
    assert sorted(d.labels for d in kept[0].documents) == sorted(d.labels for d in written.documents)
    assert [d.labels for d in kept[0].documents] != [d.labels for d in written.documents]


def test_matched_lengths_never_exceed_a_real_one() -> None:
    stage, kept = derived(scene())
    long = tuple(replace(d, text=f"{d.text} and many more words") for d in stage.written().corpus.documents)
    composition = composed("length_matched", replace(stage, synthetic=Segment("syn", Corpus(TASK, long))))
    assert {len(text.split()) for text in kept[0].texts} == {2}
    assert composition.estimates["shortened_share"] == 1


def test_masked_documents_never_say_a_label() -> None:
    task = Task(TaskType.MULTI_LABEL, ("Smart canes", "3D-printed prosthetics"))
    made = Provenance("g", "markov")
    texts = ("A smart cane and Smart-Canes.", "3D printed prosthetic with a canes rack")
    written = tuple(
        Document(f"s{i}", t, ("Smart canes",), f"s{i}", provenance=made) for i, t in enumerate(texts)
    )
    real = Corpus(task, tuple(Document(f"r{i}", f"text {i}", task.labels[:1], f"f{i}") for i in range(4)))
    stage, kept = derived(
        Scene(
            Segment("real", real), np.arange(4), np.arange(0), Segment("syn", Corpus(task, written)), count=2
        )
    )
    composed("label_masked", stage)
    assert kept[0].texts == ("A and .", "with a canes rack")


def test_a_scene_without_a_place_for_derived_corpora_says_so() -> None:
    with pytest.raises(PreconditionError, match="nowhere to keep"):
        composed("label_permuted", scene())


def test_pseudo_labelled_documents_are_those_that_new_real_would_label() -> None:
    stage = scene()
    regime, hidden = composed("pseudo_labels", stage).plan.stages[0].parts
    _, labelled = composed("new_real", stage).plan.stages[0].parts
    assert hidden.predicted and not hidden.scored and not labelled.predicted
    assert hidden.rows.tolist() == labelled.rows.tolist()
    assert regime.scored and not regime.predicted


def test_near_duplicates_are_left_out_and_counted() -> None:
    stage, _ = derived(scene())
    texts = (
        "a cane that folds in the middle when it is pushed",
        "a cane that folds in the middle when it is pushed twice",
        "wheels for rough ground with a brake on each side",
        "Text 3.",
        "text 7",
        "a cane that folds in the middle when it is pushed",
    )
    documents = tuple(
        replace(d, text=text) for d, text in zip(stage.written().corpus.documents, texts, strict=True)
    )
    stage = replace(stage, synthetic=Segment("syn", Corpus(TASK, documents)))
    found = composed("deduplicated", stage)
    # Rows 1 and 5 say what row 0 says, row 3 what a document of the regime says; row 4 repeats one outside of it.
    assert found.plan.stages[0].parts[1].rows.tolist() == [0, 2, 4]
    assert found.estimates == {
        "effective_documents": 3,
        "near_real_documents": 1,
        "near_synthetic_documents": 2,
    }
    twin = composed("deduplicated_twin", stage)
    assert size(twin) == size(found) == 9
    (part,) = twin.plan.stages[0].parts
    assert part.rows.tolist() == [0, 1, 2, 3, 4, 5] and (part.weights >= 1).all()
    # What remains is labelled a, a and b, and b: its copies are.
    copies = part.weights - 1
    assert (copies[0] + copies[3], copies[1] + copies[4], copies[2], copies[5]) == (1, 1, 1, 0)


def test_without_anything_new_both_are_the_regime_alone() -> None:
    stage = scene()
    copied = tuple(replace(d, text="text 1") for d in stage.written().corpus.documents)
    stage = replace(stage, synthetic=Segment("syn", Corpus(TASK, copied)))
    alone = composed("real_only", stage).plan.digest
    for name in ("deduplicated", "deduplicated_twin"):
        found = composed(name, stage)
        assert found.plan.digest == alone
        assert found.estimates["effective_documents"] == 0


def test_without_near_duplicates_nothing_is_left_out() -> None:
    stage = scene()
    assert composed("deduplicated", stage).plan.digest == composed("synthesis", stage).plan.digest
