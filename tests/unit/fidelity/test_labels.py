"""Metrics of labels: what mmd2 cannot see, and which labels were left out."""

from dataclasses import replace

import numpy as np
import pytest

from services.evaluator.fidelity import Sample
from services.evaluator.fidelity.label_divergence import LabelDivergence
from services.evaluator.fidelity.label_mmd2 import LabelMmd
from services.evaluator.fidelity.mmd2 import SquaredMmd
from tests.unit.fidelity.measured import measured

METRIC = LabelMmd()


def labelled(seed: int, counts: tuple[int, ...]) -> Sample:
    """Documents of one label each, every label around its own direction."""
    rng = np.random.default_rng(seed)
    label = np.repeat(np.arange(len(counts)), counts)
    x = rng.normal(size=(len(label), 8)) + 3 * np.eye(8)[label]
    rows = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    names = tuple("abcdefgh"[: len(counts)])
    return Sample(
        rows, np.arange(len(label)), labels=np.eye(len(counts), dtype=bool)[label], label_names=names
    )


def test_is_the_weighted_mean_of_mmd2_within_labels() -> None:
    reference, corpus = labelled(1, (60, 30)), labelled(2, (25, 45))
    settings = METRIC.settings(reference)
    (found,) = measured(METRIC, reference, corpus)
    parts = [
        SquaredMmd()(reference.take(real), [corpus.take(ours)], settings, [])[0].value
        for real, ours in (
            (np.arange(60), np.arange(25)),
            (np.arange(60, 90), np.arange(25, 70)),
        )
    ]
    assert found.value == pytest.approx((60 * parts[0] + 30 * parts[1]) / 90)  # type: ignore[operator]


def test_wrong_labels_show_where_mmd2_is_blind() -> None:
    reference, right = labelled(3, (50, 50)), labelled(4, (50, 50))
    assert right.labels is not None
    wrong = replace(right, labels=right.labels[:, ::-1])
    good, bad = (found.value for found in measured(METRIC, reference, right, wrong))
    assert good is not None and bad is not None
    assert bad > 0.3
    assert good < 0.05
    plain = measured(SquaredMmd(), reference, right, wrong)
    assert plain[0].value == plain[1].value


def test_scarce_labels_are_left_out_by_name() -> None:
    reference, corpus = labelled(5, (40, 30, 19, 0)), labelled(6, (40, 7, 40, 0))
    (found,) = measured(METRIC, reference, corpus)
    assert found.estimates == {
        "labels_measured": 1,
        "assignments_measured": pytest.approx(40 / 89),
        "left_out.b": 7,
        "left_out.c": 19,
    }


def test_no_label_with_enough_documents_is_undefined() -> None:
    reference, corpus = labelled(7, (40, 40)), labelled(8, (19, 12))
    (found,) = measured(METRIC, reference, corpus)
    assert found.value is None
    assert found.undefined_reason == "no label has 20 documents on both sides; the most is 19"


def test_other_task_is_undefined() -> None:
    reference = labelled(9, (30, 30))
    for metric in (METRIC, LabelDivergence()):
        (found,) = measured(metric, reference, replace(reference, labels=None))
        assert found.undefined_reason == "the corpus came without labels"


def test_label_divergence_by_hand() -> None:
    reference, corpus = labelled(10, (10, 0)), labelled(11, (5, 5))
    (found,) = measured(LabelDivergence(), reference, corpus)
    assert found.value == pytest.approx(0.5 * np.log2(4 / 3) + 0.25 * (np.log2(2 / 3) + 1))


def test_label_divergence_sees_shares_and_reports_numbers_per_document() -> None:
    reference = labelled(12, (10, 10))
    both = replace(reference, labels=np.ones((20, 2), dtype=bool))
    (found,) = measured(LabelDivergence(), reference, both)
    assert found.value == pytest.approx(0)
    assert found.estimates == {"labels_per_document": 2, "reference_labels_per_document": 1}
