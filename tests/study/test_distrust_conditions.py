"""Conditions that take one property away must take nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from flows.conditions import CONDITIONS, Scene, Segment
from services.domain.corpus import Corpus
from services.domain.document import Document, Provenance
from services.domain.task import Task, TaskType

TASK = Task(TaskType.MULTI_LABEL, ("a", "b"))
COUNT = 400


def scene_of_equal_lengths_in_law() -> tuple[Scene, list[Corpus]]:
    """Real and synthetic documents of 5 to 50 words, drawn from one law."""
    rng, kept = np.random.default_rng(0), []

    def text(length: int) -> str:
        return " ".join(["word"] * length)

    lengths = rng.integers(5, 51, 2 * COUNT).tolist()
    real = tuple(Document(f"r{i}", text(n), ("a",), f"r{i}") for i, n in enumerate(lengths[:COUNT]))
    made = Provenance("g", "markov")
    written = tuple(
        Document(f"s{i}", text(n), ("a",), f"s{i}", provenance=made) for i, n in enumerate(lengths[COUNT:])
    )
    base = Scene(
        Segment("real", Corpus(TASK, real)),
        np.arange(COUNT),
        np.zeros(0, np.int64),
        Segment("syn", Corpus(TASK, written)),
        COUNT,
    )

    def keep(corpus: Corpus) -> Segment:
        kept.append(corpus)
        return Segment("kept", corpus)

    return replace(base, keep=keep), kept


def test_texts_as_long_as_real_ones_are_not_cut_short() -> None:
    stage, kept = scene_of_equal_lengths_in_law()
    CONDITIONS.get("length_matched").compose(stage, np.random.default_rng(1), {})
    real, cut = (
        np.mean([len(d.text.split()) for d in corpus.documents]) for corpus in (stage.real.corpus, kept[0])
    )
    assert cut > 0.95 * real


def test_the_label_matched_twin_has_the_synthetic_label_frequencies() -> None:
    task = Task(TaskType.MULTI_LABEL, ("common", "rare"))
    real = tuple(Document(f"r{i}", f"text {i}", ("common",), f"r{i}") for i in range(20))
    real += tuple(Document(f"q{i}", f"text q{i}", ("common", "rare"), f"q{i}") for i in range(20))
    made = Provenance("g", "markov")
    written = tuple(
        Document(f"s{i}", f"new {i}", ("common", "rare"), f"s{i}", provenance=made) for i in range(COUNT)
    )
    stage = Scene(
        Segment("real", Corpus(task, real)),
        np.arange(40),
        np.zeros(0, np.int64),
        Segment("syn", Corpus(task, written)),
        COUNT,
    )
    composed = CONDITIONS.get("label_matched_twin").compose(stage, np.random.default_rng(1), {})
    (part,) = composed.plan.stages[0].parts
    copies = (part.weights - 1) @ stage.real.corpus.indicator
    # Every synthetic document has both labels; a row twin would have 400 and 400.
    assert copies[1] == pytest.approx(COUNT, rel=0.1)
