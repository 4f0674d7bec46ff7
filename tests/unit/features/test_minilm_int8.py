"""MiniLM in int8: near the float vectors, the same bytes whatever stands beside a text."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load

from services.domain.errors import PreconditionError
from services.features.calibration import SPREADS, calibration_texts, measured_spreads
from services.features.encoders.minilm import MiniLm
from services.features.encoders.minilm_int8 import MiniLmInt8
from services.features.minilm_files import WEIGHTS_SHA256, load_tokenizer, model_folder, verified_weights
from services.features.quantisation import spreads_from_arrays

SUBJECTS = ("wheelchair", "hearing aid", "braille display", "prosthetic hand", "walking frame", "eye tracker")
# From 7 to 120 tokens.
TEXTS = [
    f"A {SUBJECTS[i % 6]} of kind {i} is shown. "
    + "It has a sensor, a motor and a lever that older people can hold while they read. " * (i % 7)
    for i in range(40)
]
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def encoder() -> MiniLmInt8:
    return MiniLmInt8()


@pytest.fixture(scope="module")
def vectors(encoder: MiniLmInt8) -> np.ndarray:
    return encoder.encode(TEXTS)


def cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.asarray((first * second).sum(axis=1))


@pytest.mark.parametrize("reduced", [False, True])
def test_vectors_are_near_those_of_full_precision(reduced: bool) -> None:
    exact = MiniLm(128, reduced=False).encode(TEXTS)
    found = cosines(MiniLmInt8(128, reduced=reduced).encode(TEXTS), exact)
    assert found.mean() >= 0.995
    assert found.min() >= 0.98


@pytest.mark.realdata
@pytest.mark.parametrize("corpus", ["patents_wipo_ewaste/data", "synth_patents_abstracts/real"])
def test_real_patents_are_near_as_well(corpus: str, realdata: Path, encoder: MiniLmInt8) -> None:
    import gzip
    import json

    with gzip.open(realdata / f"{corpus}.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line, _ in zip(lines, range(60), strict=False)]
    assert cosines(encoder.encode(texts), MiniLm(128, reduced=False).encode(texts)).mean() >= 0.995


def test_order_of_texts_changes_no_byte(encoder: MiniLmInt8, vectors: np.ndarray) -> None:
    order = np.random.default_rng(3).permutation(len(TEXTS))
    assert encoder.encode([TEXTS[i] for i in order]).tobytes() == vectors[order].tobytes()


def test_dropped_neighbours_change_no_byte(encoder: MiniLmInt8, vectors: np.ndarray) -> None:
    kept = np.flatnonzero(np.random.default_rng(4).random(len(TEXTS)) < 0.3)
    assert encoder.encode([TEXTS[i] for i in kept]).tobytes() == vectors[kept].tobytes()
    assert encoder.encode([TEXTS[7]]).tobytes() == vectors[7].tobytes()


def test_another_run_with_other_threads_gives_the_same_bytes(vectors: np.ndarray) -> None:
    assert MiniLmInt8(threads=2).encode(TEXTS).tobytes() == vectors.tobytes()


def test_torch_keeps_its_cores_and_its_bytes_beside_it(encoder: MiniLmInt8) -> None:
    import torch

    beside = MiniLm(64)
    before = beside.encode(TEXTS[:8]), os.sched_getaffinity(0), torch.get_num_threads()
    encoder.encode(TEXTS[:8])
    assert beside.encode(TEXTS[:8]).tobytes() == before[0].tobytes()
    assert (os.sched_getaffinity(0), torch.get_num_threads()) == before[1:]


def test_process_needs_no_torch() -> None:
    program = (
        "import sys; from services.features.encoders.minilm_int8 import MiniLmInt8; "
        "MiniLmInt8().encode(['a text']); print('torch' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False"


SILENCE = """
import os, socket, sys, time
asked = []
def refuse(*place, **_):
    asked.append(place)
    raise OSError("no network")
socket.getaddrinfo = refuse
from services.features.encoders.minilm_int8 import MiniLmInt8
MiniLmInt8().encode(["a text"])
# A reporter would send from a thread of its own.
time.sleep(1)
print(asked, sorted(os.listdir(os.environ["HOME"])))
"""


def test_runtime_reports_to_nobody(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SILENCE], check=True, env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[] []"


def test_shipped_spreads_are_those_of_the_shipped_texts() -> None:
    folder = model_folder()
    some = load_tokenizer(folder, 256).encode_batch(calibration_texts())
    measured = measured_spreads(load(verified_weights(folder)), [encoding.ids for encoding in some])
    shipped = spreads_from_arrays(load(SPREADS.read_bytes()))
    assert shipped.keys() == measured.keys()
    for name, spread in measured.items():
        np.testing.assert_allclose(shipped[name].largest, spread.largest, rtol=0.01, atol=0.01)
        np.testing.assert_allclose(shipped[name].smallest, spread.smallest, rtol=0.01, atol=0.01)


def test_texts_are_cut_and_counted(encoder: MiniLmInt8) -> None:
    long = "word " * 200
    np.testing.assert_array_equal(encoder.encode([long]), encoder.encode([long + "unseen"]))
    assert encoder.count_truncated([long, "short", long + "unseen"]) == 2


def test_revision_names_weights_rounding_runtime_precision_and_cut() -> None:
    parts = MiniLmInt8(64, reduced=False).revision.split("/")
    assert parts[0] == "minilm_int8" and parts[2] == WEIGHTS_SHA256
    assert len(parts[3]) == len("1-") + 64
    assert parts[4:] == [f"openvino-{metadata.version('openvino')}", "f32", "64"]
    assert MiniLmInt8(64, reduced=True).revision.split("/")[5] == "bf16"


def test_nothing_gives_an_empty_matrix(encoder: MiniLmInt8) -> None:
    assert encoder.encode([]).shape == (0, 384)


def test_missing_runtime_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    with pytest.raises(PreconditionError, match="pip install openvino"):
        _ = MiniLmInt8().revision
