"""Leakage between published parts: abstracts that models wrote, and the patents they were written from."""

import gzip
import json
from pathlib import Path

import pytest

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.task import Task, TaskType
from services.evaluator.leakage import EMBEDDING_NEIGHBOUR, EQUAL_TEXT, NEAR_DUPLICATE, SHARED_FAMILY, Audited
from services.evaluator.leakage.audit import audit_leakage
from services.features.encoders import ENCODERS, FittedEncoder

TASK = Task(TaskType.SINGLE_LABEL, ("A61B",))


def read(path: Path, model: str = "") -> Corpus:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    return Corpus(
        TASK,
        tuple(
            Document(row["id"], row["text"], TASK.labels, row.get("source_id") or row["id"])
            for row in found
            if row["text"].strip() and row.get("model", "") == model
        ),
    )


@pytest.mark.realdata
def test_abstracts_are_traced_to_the_patents_they_were_written_from(realdata: Path) -> None:
    folder = realdata / "synth_patents_abstracts"
    real, written = read(folder / "real.jsonl.gz"), read(folder / "synthetic.jsonl.gz", "gemini")
    lsa = ENCODERS.get("lsa")
    assert isinstance(lsa, FittedEncoder)
    encoder = lsa.restore(lsa.fit(real.texts), "fitted")
    parts = [
        Audited(name, c, encoder.encode(c.texts)) for name, c in (("real", real), ("synthetic", written))
    ]
    # Patents of one applicant are near as well: at .999 few abstracts are nearer to their source.
    audit = audit_leakage(parts, quantile=0.98)
    families = audit.find("real", "synthetic", SHARED_FAMILY)
    assert families.pair_count == families.right_found == len(written)
    assert audit.find("real", "synthetic", EQUAL_TEXT).pair_count == 0
    source = dict(zip(written.ids, written.families, strict=True))
    near = audit.find("real", "synthetic", NEAR_DUPLICATE).pairs
    neighbours = audit.find("real", "synthetic", EMBEDDING_NEIGHBOUR).pairs
    assert len(near) > 3 and len(neighbours) > 10
    for pairs in (near, neighbours):
        assert sum(pair.left == source[pair.right] for pair in pairs) > 0.5 * len(pairs)
