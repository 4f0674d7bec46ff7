"""MiniLM: the right vectors, whatever stands beside a text."""

from pathlib import Path

import numpy as np
import pytest

from services.domain.errors import ArtifactChangedError
from services.features.encoders import minilm
from services.features.encoders.minilm import MiniLm
from services.features.minilm_files import WEIGHTS_SHA256

SUBJECTS = ("wheelchair", "hearing aid", "braille display", "prosthetic hand", "walking frame", "eye tracker")
# From 5 to 61 tokens.
TEXTS = [f"a {SUBJECTS[i % 6]} of kind {i} " + "with a sensor " * (i % 19) for i in range(50)]


@pytest.fixture(scope="module")
def encoder() -> MiniLm:
    return MiniLm()


@pytest.fixture(scope="module")
def vectors(encoder: MiniLm) -> np.ndarray:
    return encoder.encode(TEXTS)


def test_order_of_texts_changes_no_byte(encoder: MiniLm, vectors: np.ndarray) -> None:
    order = np.random.default_rng(3).permutation(len(TEXTS))
    assert encoder.encode([TEXTS[i] for i in order]).tobytes() == vectors[order].tobytes()


def test_dropped_neighbours_change_no_byte(encoder: MiniLm, vectors: np.ndarray) -> None:
    kept = np.flatnonzero(np.random.default_rng(4).random(len(TEXTS)) < 0.3)
    assert encoder.encode([TEXTS[i] for i in kept]).tobytes() == vectors[kept].tobytes()
    assert encoder.encode([TEXTS[7]]).tobytes() == vectors[7].tobytes()


@pytest.fixture(scope="module")
def full() -> MiniLm:
    return MiniLm(reduced=False)


def test_reduced_precision_agrees_with_full(full: MiniLm) -> None:
    some = TEXTS[::3]
    assert (full.encode(some) * MiniLm(reduced=True).encode(some)).sum(axis=1).min() >= 0.999


def test_paraphrases_are_near_and_strangers_far(full: MiniLm) -> None:
    vectors = full.encode(["the cat sits outside", "a cat sits outside", "the new film is great"])
    assert vectors[0] @ vectors[1] > 0.95
    assert abs(vectors[0] @ vectors[2]) < 0.2


def test_texts_are_cut_at_the_longest_length(encoder: MiniLm) -> None:
    long = "word " * 200
    np.testing.assert_array_equal(encoder.encode([long]), encoder.encode([long + "unseen"]))


def test_revision_names_weights_dtype_and_cut() -> None:
    assert MiniLm(32, reduced=False).revision == f"minilm/1/{WEIGHTS_SHA256}/fp32/32"
    assert MiniLm(64, reduced=True).revision.endswith("/bf16/64")


def test_nothing_gives_an_empty_matrix(encoder: MiniLm) -> None:
    assert encoder.encode([]).shape == (0, 384)


def test_other_weights_are_refused(encoder: MiniLm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    monkeypatch.setattr(minilm, "model_folder", lambda: tmp_path)
    monkeypatch.setattr(MiniLm, "_tokenizer", encoder._tokenizer)
    with pytest.raises(ArtifactChangedError, match="reinstall"):
        MiniLm().encode(["a text"])
