"""What the metrics say of abstracts that language models wrote from the claims of real patents."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from services.domain.corpus import Corpus
from services.domain.document import Document, Provenance
from services.domain.measurement import Measurement
from services.domain.task import Task, TaskType
from services.domain.texts import normalised
from services.evaluator.fidelity.measuring import measure
from services.features.encoders import ENCODERS, FittedEncoder
from services.storage.store import Store

pytestmark = pytest.mark.realdata

TASK = Task(TaskType.SINGLE_LABEL, ("A61B",))
METRICS = (
    *("c2st", "c2st_p", "chamfer", "compression_ratio", "coverage", "density", "distinct_2", "frechet"),
    *("length_drift", "mmd2", "precision", "recall", "self_bleu", "vocabulary_divergence"),
)


def rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def corpus(rows: list[dict[str, Any]]) -> Corpus:
    return Corpus(
        TASK,
        tuple(
            Document(
                row["id"],
                row["text"],
                TASK.labels,
                row.get("source_id") or row["id"],
                provenance=Provenance(row["model"], "file", source_id=row["source_id"])
                if "model" in row
                else None,
            )
            for row in rows
        ),
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Measurement]]:
    """Real and Llama-2's abstracts of other patents, against 400 real ones."""
    folder = Path(__file__).parents[4] / "shared" / "data" / "synth_patents_abstracts"
    # Continuations of a patent repeat its abstract: one of each, or families depend on one another.
    real = list({normalised(row["text"]): row for row in rows(folder / "real.jsonl.gz")}.values())
    of_source = {row["id"]: i for i, row in enumerate(real)}
    written = [
        row
        for row in rows(folder / "synthetic.jsonl.gz")
        if row["model"] == "llama-2" and row["text"].strip()
    ]
    # The encoder learns from a fifth that is in none of the corpora.
    parts = {
        "reference": corpus(real[:400]),
        "real": corpus(real[400:800]),
        "llama": corpus([row for row in written if 400 <= of_source.get(row["source_id"], 0) < 800]),
    }
    store = Store(tmp_path_factory.mktemp("abstracts"))
    lsa = ENCODERS.get("lsa")
    assert isinstance(lsa, FittedEncoder)
    encoder = lsa.restore(lsa.fit([row["text"] for row in real[800:]]), "fitted")
    vectors = {
        name: store.put_arrays({"embeddings": encoder.encode(part.texts)}, {}) for name, part in parts.items()
    }
    payload = {
        "store": str(store.root),
        "reference": store.put_corpus(parts["reference"]).sha256,
        "reference_embeddings": vectors["reference"].sha256,
        "corpora": [store.put_corpus(parts[name]).sha256 for name in ("real", "llama")],
        "embeddings": [vectors[name].sha256 for name in ("real", "llama")],
        "metrics": list(METRICS),
        "seed": 3,
    }
    results = measure(payload, lambda _: None)["results"]
    return {name: {m.metric: m for m in row} for name, row in zip(("real", "llama"), results, strict=True)}


def test_other_real_abstracts_lie_at_the_floor(measured: dict[str, dict[str, Measurement]]) -> None:
    for name, found in measured["real"].items():
        if "floor" in found.estimates and found.value is not None:
            floor, spread = found.estimates["floor"], found.estimates["floor_sd"]
            assert abs(found.value - floor) < 5 * spread, name


def test_written_abstracts_are_told_from_real_ones(measured: dict[str, dict[str, Measurement]]) -> None:
    real, llama = ({n: m.value for n, m in measured[name].items()} for name in ("real", "llama"))
    for name in (
        "c2st",
        "frechet",
        "mmd2",
        "vocabulary_divergence",
        "self_bleu",
        "compression_ratio",
        "length_drift",
    ):
        assert llama[name] > real[name], name  # type: ignore[operator]
    for name in ("distinct_2", "coverage"):
        assert llama[name] < real[name], name  # type: ignore[operator]
    assert llama["c2st_p"] == pytest.approx(0.001)
    assert real["c2st_p"] > 0.01  # type: ignore[operator]
