"""all-MiniLM-L6-v2 in int8 by OpenVINO: the fast one, and without torch."""

import os
from collections.abc import Sequence
from functools import cached_property
from importlib import metadata
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from services.domain.digest import sha256_hex
from services.domain.errors import PreconditionError
from services.features.batching import batches, padded
from services.features.encoders import ENCODERS, Embeddings
from services.features.minilm_files import (
    ATTENTION_HEADS,
    DIMENSIONS,
    WEIGHTS_SHA256,
    load_tokenizer,
    model_folder,
    verified_weights,
)
from services.features.quantisation import QUANTISATION_VERSION

# Raised whenever a vector changes for a reason that the rest of the revision does not name.
ALGORITHM_VERSION = 1
THREADS_VARIABLE = "SYNTHTRIAL_THREADS"
# What a batch of 512 tokens passes from layer to layer stays in a core's cache.
BATCH_TOKENS = 512
MOST_ROWS = 32


class _Graph(NamedTuple):
    """The rounded model, of no shape yet, and the tables in front of it."""

    embedder: Any
    model: Any


class MiniLmInt8:
    """Sentence embeddings by mean pooling, linear maps in static int8.

    Steps and shapes are fixed, and one thread computes a batch, so a vector never
    depends on the texts beside it. A process builds the rounded model from the float
    weights when it first encodes (half a second) and compiles each of the shapes
    when it first meets it (a third of one; a tenth faster than one model of any shape).

    Args:
        longest: Tokens kept of a text, a multiple of eight.
        reduced: Whether what is not int8 is bfloat16; None asks the processor.
        threads: Batches computed side by side; None asks the environment.
    """

    description = (
        "all-MiniLM-L6-v2 in int8, 384 dimensions, mean of at most 128 tokens; four times as fast, cosine 0.997 to "
        "full precision."
    )
    dimensions = DIMENSIONS

    def __init__(self, longest: int = 128, reduced: bool | None = None, threads: int | None = None) -> None:
        self._longest = longest
        self._reduced = reduced
        self._threads = threads
        self._queues: dict[int, Any] = {}

    @cached_property
    def revision(self) -> str:
        rounding = f"{QUANTISATION_VERSION}-{sha256_hex(self._spreads)}"
        runtime = f"openvino-{_runtime_version()}"
        parts = (ALGORITHM_VERSION, WEIGHTS_SHA256, rounding, runtime, self._precision, self._longest)
        return "minilm_int8/" + "/".join(map(str, parts))

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Return one unit vector per text, shape (n, 384)."""
        found = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        if not len(texts):
            return found
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        for length, group in groupby(batches([len(ids) for ids in tokens], _rows_of), itemgetter(1)):
            self._encode_group(length, [rows for rows, _ in group], tokens, found)
        return found

    def _encode_group(
        self, length: int, group: list[list[int]], tokens: Sequence[Sequence[int]], found: Embeddings
    ) -> None:
        """Fill in the vectors of all batches of one shape."""

        def keep(request: Any, rows: list[int]) -> None:
            found[rows] = request.get_output_tensor().data[: len(rows)]

        queue = self._queue(length)
        queue.set_callback(keep)
        for rows in group:
            ids, mask = padded([tokens[i] for i in rows], length, row_count=_rows_of(length))
            queue.start_async([self._graph.embedder(ids), mask.astype(np.float32)], rows)
        queue.wait_all()

    def count_truncated(self, texts: Sequence[str]) -> int:
        """Return how many texts are longer than what is kept of them."""
        encodings = self._tokenizer.encode_batch(list(texts))
        return sum(bool(encoding.overflowing) for encoding in encodings)

    def _queue(self, length: int) -> Any:
        """Return what computes batches of one length, compiled at its first use."""
        if length not in self._queues:
            from services.features.openvino_runtime import ov

            model = self._graph.model.clone()
            rows = _rows_of(length)
            model.reshape({0: [rows, length, DIMENSIONS], 1: [rows, length]})
            compiled = ov.Core().compile_model(model, "CPU", self._settings())
            self._queues[length] = ov.AsyncInferQueue(compiled, compiled.get_property("NUM_STREAMS"))
        return self._queues[length]

    def _settings(self) -> dict[str, Any]:
        threads = self._threads or int(os.environ.get(THREADS_VARIABLE) or os.cpu_count() or 1)
        return {
            "INFERENCE_PRECISION_HINT": self._precision,
            # As many streams as threads: each batch is one thread's.
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,
            # Pinned threads of two processes sit on the same core, and torch beside them on one.
            "ENABLE_CPU_PINNING": False,
        }

    @cached_property
    def _graph(self) -> _Graph:
        from safetensors.numpy import load

        from services.features.bert_graph import Embedder, int8_graph
        from services.features.quantisation import spreads_from_arrays

        weights = load(verified_weights(model_folder()))
        spreads = spreads_from_arrays(load(self._spreads))
        return _Graph(Embedder(weights), int8_graph(weights, ATTENTION_HEADS, spreads))

    @cached_property
    def _precision(self) -> str:
        if self._reduced is not None:
            return "bf16" if self._reduced else "f32"
        _runtime_version()
        from services.features.openvino_runtime import ov

        return "bf16" if "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"

    @cached_property
    def _spreads(self) -> bytes:
        from services.features.calibration import SPREADS

        return SPREADS.read_bytes()

    @cached_property
    def _tokenizer(self) -> Any:
        return load_tokenizer(model_folder(), self._longest)


def _rows_of(length: int) -> int:
    return max(1, min(MOST_ROWS, BATCH_TOKENS // length))


def _runtime_version() -> str:
    try:
        return metadata.version("openvino")
    except metadata.PackageNotFoundError:
        raise PreconditionError(
            "the encoder 'minilm_int8' needs OpenVINO: pip install openvino, or choose 'minilm' or 'lsa'",
            encoder="minilm_int8",
        ) from None


ENCODERS.register("minilm_int8", MiniLmInt8())
