import numpy as np
import pandas as pd

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.task import Task, TaskType
from services.storage.store import Store
from synthtrial.tracing import Trace, decide, matching_cells

MEASUREMENTS = pd.DataFrame(
    {"cell_id": ["a" * 64, "a" * 64, "b" * 64], "value": [0.41236, None, 0.41242], "metric": ["micro_f1"] * 3}
)


def test_a_printed_number_finds_every_cell_that_rounds_to_it() -> None:
    assert matching_cells("0.4124", MEASUREMENTS) == ["a" * 64, "b" * 64]
    assert matching_cells("0.41236", MEASUREMENTS) == ["a" * 64]


def test_the_beginning_of_an_id_is_enough() -> None:
    assert matching_cells("bbbbbb", MEASUREMENTS) == ["b" * 64]


def test_what_is_neither_finds_nothing() -> None:
    assert matching_cells("micro", MEASUREMENTS) == []


def decided(store: Store, kind: TaskType, **metadata: str) -> Trace:
    corpus = Corpus(Task(kind, ("chair", "lift")), (Document("d", "a stair lift", ("lift",), "f"),))
    test = store.put_corpus(corpus).sha256
    arrays = {"test_scores": np.array([[0.2, 0.3]], dtype=np.float32)}
    predictions = store.put_arrays(arrays, metadata).sha256
    shown = pd.DataFrame(columns=["metric", "threshold_rule", "value", "sample_count", "undefined_reason"])
    return Trace({}, shown.astype(str), "", (), predictions, *decide(store, predictions, test))


def test_labels_are_those_that_reach_the_threshold(store: Store) -> None:
    trace = decided(store, TaskType.MULTI_LABEL, threshold="0.25")
    assert trace.threshold == 0.25
    assert "threshold 0.2500" in trace.text()
    assert "predicted: lift" in trace.text()


def test_a_single_label_study_takes_the_best_label(store: Store) -> None:
    trace = decided(store, TaskType.SINGLE_LABEL, threshold="0.9")
    assert trace.threshold is None
    assert "the best label of each" in trace.text()
    assert "predicted: lift" in trace.text()


def test_without_a_threshold_nothing_is_predicted_and_the_reason_is_shown(store: Store) -> None:
    trace = decided(store, TaskType.MULTI_LABEL, threshold="", threshold_undefined="no positive label")
    assert trace.threshold is None
    assert "no threshold: no positive label" in trace.text()
    assert "predicted:" not in trace.text()
