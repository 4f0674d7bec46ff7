"""The store: typed values over objects and keys."""

import io
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load, save

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.digest import canonical_json
from services.storage.keys import KeyStore
from services.storage.objects import ObjectStore
from services.storage.tables import corpus_from_table, corpus_to_table

STORE_VARIABLE = "SYNTHTRIAL_STORE"
DEFAULT_ROOT = ".synthtrial/store"

Arrays = dict[str, np.ndarray]


class Store:
    """One folder that all services and the flow share.

    A reference is given as an `ArtifactRef` or as the object's SHA-256.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root).absolute()
        self.objects = ObjectStore(self.root)
        self.keys = KeyStore(self.root)

    @classmethod
    def from_environment(cls) -> "Store":
        """Open the store that `SYNTHTRIAL_STORE` names."""
        return cls(os.environ.get(STORE_VARIABLE, DEFAULT_ROOT))

    def put_corpus(self, corpus: Corpus) -> ArtifactRef:
        """Store a corpus; equal corpora have equal references."""
        return self.put_table(corpus_to_table(corpus))

    def get_corpus(self, reference: ArtifactRef | str) -> Corpus:
        """Return a stored corpus."""
        return corpus_from_table(self.get_table(reference))

    def put_table(self, table: pa.Table) -> ArtifactRef:
        """Store a table as Parquet with page checksums."""
        sink = io.BytesIO()
        pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
        return ArtifactRef.stored(self.objects.put(sink.getvalue()), table.num_rows)

    def get_table(self, reference: ArtifactRef | str) -> pa.Table:
        """Return a stored table."""
        return pq.read_table(io.BytesIO(self.objects.get(_sha256(reference))))

    def put_arrays(self, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> ArtifactRef:
        """Store named arrays; the reference counts the rows of the first."""
        ordered = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}
        # One JSON entry: safetensors writes several metadata entries in no fixed
        # order, and equal arrays must have equal bytes.
        data = save(ordered, metadata={"json": canonical_json(dict(metadata)).decode()})
        rows = len(next(iter(arrays.values()))) if arrays else 0
        return ArtifactRef.stored(self.objects.put(data), rows)

    def get_arrays(self, reference: ArtifactRef | str) -> tuple[Arrays, dict[str, str]]:
        """Return stored arrays and their metadata."""
        data = self.objects.get(_sha256(reference))
        return load(data), _metadata(data)

    def put_json(self, value: Any) -> ArtifactRef:
        """Store a JSON value in its canonical form."""
        return ArtifactRef.stored(self.objects.put(canonical_json(value)))

    def get_json(self, reference: ArtifactRef | str) -> Any:
        """Return a stored JSON value."""
        return json.loads(self.objects.get(_sha256(reference)))

    def lookup(self, specification: Any) -> ArtifactRef | None:
        """Return the stored answer to a specification, if its object exists."""
        answer = self.keys.lookup(specification)
        if answer is None or not self.objects.has(answer["sha256"]):
            return None
        return ArtifactRef.stored(answer["sha256"], answer["row_count"])

    def publish(self, specification: Any, reference: ArtifactRef) -> ArtifactRef:
        """File an answer and return the one that stands."""
        answer = {"sha256": reference.sha256, "row_count": reference.row_count}
        stands = self.keys.publish(specification, answer)
        if not self.objects.has(stands["sha256"]):
            # Its object was quarantined: what was just computed takes the place.
            self.keys.replace(specification, answer)
            stands = answer
        return ArtifactRef.stored(stands["sha256"], stands["row_count"])

    def replace(self, specification: Any, reference: ArtifactRef) -> ArtifactRef:
        """File an answer in place of one that names objects which are lost."""
        self.keys.replace(specification, {"sha256": reference.sha256, "row_count": reference.row_count})
        return reference

    def computed(self, specification: Any, compute: Callable[[], ArtifactRef]) -> ArtifactRef:
        """Return the stored answer, computing and filing it where there is none."""
        return self.lookup(specification) or self.publish(specification, compute())


def _sha256(reference: ArtifactRef | str) -> str:
    return reference if isinstance(reference, str) else reference.sha256


def _metadata(data: bytes) -> dict[str, str]:
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    return dict(json.loads(header.get("__metadata__", {}).get("json", "{}")))
