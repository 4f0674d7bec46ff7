"""Any sentence encoder by name on the hub or by folder.

Designs and services take its name as it is, such as "owner/name". With settings of
its own, a plug-in of three lines gives it a short one; with
SYNTHTRIAL_PLUGINS=<folder>, in <folder>/encoders/<any>.py:

    from services.features.encoders import ENCODERS
    from services.features.sentence_encoder import SentenceEncoder
    ENCODERS.register("small", SentenceEncoder("owner/name", longest=256))
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from services.domain.digest import text_digest
from services.domain.errors import InvalidInputError, PreconditionError
from services.features.batching import BATCH_ROWS, batches, padded
from services.features.checkpoint import Checkpoint, read_checkpoint
from services.features.checkpoint_source import checkpoint_folder
from services.features.encoders import Embeddings

# Raised whenever a vector changes for a reason that the rest of the revision does not name.
ALGORITHM_VERSION = 1
# Where no file says how much a model reads.
USUAL_LONGEST = 512
# A GPU waits for small batches.
GPU_BATCH_ROWS = 128


class SentenceEncoder:
    """Pooled last hidden states of a checkpoint, of unit length.

    On the GPU where there is one. Batches have few fixed shapes, so a vector never
    depends on the texts beside it. Nothing is read, fetched or checked before the
    first use.

    Args:
        source: A folder, or a name on the hub.
        hub_revision: On the hub: a commit, tag or branch. The vectors' own revision
            names the bytes, so a branch that moves on gives new vectors.
        pooling: "mean" or "cls"; None asks the checkpoint's files.
        longest: Tokens kept of a text; None or more than the model reads: as many as it reads.
        prefix: Put in front of every text; None asks the checkpoint's files.
        reduced: Whether to multiply in bfloat16; None asks the device.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        hub_revision: str | None = None,
        pooling: str | None = None,
        longest: int | None = None,
        prefix: str | None = None,
        reduced: bool | None = None,
    ) -> None:
        if longest is not None and longest < 3:
            raise InvalidInputError(
                f"longest is {longest}; a text needs three tokens at least", field="longest"
            )
        self._source, self._hub_revision = source, hub_revision
        self._pooling, self._given_longest, self._prefix = pooling, longest, prefix
        self._reduced = reduced
        self.description = f"Sentence encoder {Path(source).name}, from its own checkpoint."

    @cached_property
    def revision(self) -> str:
        settings = f"{self._checkpoint.pooling}/{self._longest}/{text_digest(self._lead)}"
        how = f"{self._device}-{'bf16' if self._in_bfloat16 else 'fp32'}"
        runtime = f"transformers-{_runtime_version()}"
        return f"sentence/{ALGORITHM_VERSION}/{self._checkpoint.digest}/{settings}/{how}/{runtime}"

    @property
    def dimensions(self) -> int:
        return self._checkpoint.dimensions

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Return one unit vector per text, shape (n, dimensions).

        Raises:
            PreconditionError: The checkpoint is missing, damaged or of an unknown kind.
        """
        from services.features.torch_running import threads_apart

        found = np.empty((len(texts), self.dimensions), dtype=np.float32)
        if not len(texts):
            return found
        tokens = [encoding.ids for encoding in self._encodings(texts)]
        # Read before several threads could each read it.
        model = self._model

        def fill(batch: tuple[list[int], int]) -> None:
            rows, length = batch
            found[rows] = self._encode_batch(model, [tokens[i] for i in rows], length)

        with threads_apart() as threads, ThreadPoolExecutor(threads) as pool:
            deque(pool.map(fill, batches([len(ids) for ids in tokens], lambda _: self._rows)), maxlen=0)
        return found

    def count_truncated(self, texts: Sequence[str]) -> int:
        """Return how many texts are longer than what is kept of them."""
        return sum(bool(encoding.overflowing) for encoding in self._encodings(texts)) if len(texts) else 0

    def _encode_batch(self, model: Any, tokens: Sequence[Sequence[int]], length: int) -> Embeddings:
        import torch

        # Only a model's positions end; the rest of a batch's shape is padding.
        ids, mask = padded(tokens, min(length, self._longest), self._tokenizer.pad_token_id or 0, self._rows)
        with torch.inference_mode():
            kept = torch.from_numpy(mask).to(self._device)
            given = torch.from_numpy(ids).to(self._device)
            hidden = model(input_ids=given, attention_mask=kept.long()).last_hidden_state.float()
            vectors = hidden[:, 0] if self._checkpoint.pooling == "cls" else _mean(hidden, kept)
            unit = torch.nn.functional.normalize(vectors, dim=1)
        return np.asarray(unit[: len(tokens)].cpu().numpy(), dtype=np.float32)

    def _encodings(self, texts: Sequence[str]) -> Any:
        given = [self._lead + (text.lower() if self._checkpoint.lower_case else text) for text in texts]
        return self._tokenizer(given, truncation=True, max_length=self._longest).encodings

    @cached_property
    def _checkpoint(self) -> Checkpoint:
        return read_checkpoint(checkpoint_folder(self._source, self._hub_revision), self._pooling)

    @property
    def _lead(self) -> str:
        return self._checkpoint.prefix if self._prefix is None else self._prefix

    @cached_property
    def _longest(self) -> int:
        readable = self._checkpoint.longest or USUAL_LONGEST
        return min(self._given_longest or readable, readable)

    @property
    def _rows(self) -> int:
        return GPU_BATCH_ROWS if self._device == "cuda" else BATCH_ROWS

    @cached_property
    def _device(self) -> str:
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"

    @cached_property
    def _in_bfloat16(self) -> bool:
        if self._reduced is not None:
            return self._reduced
        import torch

        from services.features.torch_running import multiplies_in_bfloat16

        return torch.cuda.is_bf16_supported() if self._device == "cuda" else multiplies_in_bfloat16()

    @cached_property
    def _tokenizer(self) -> Any:
        from services.features.transformers_loading import load_tokenizer

        return load_tokenizer(self._checkpoint.folder)

    @cached_property
    def _model(self) -> Any:
        from services.features.transformers_loading import load_model

        return load_model(self._checkpoint.folder, self._device, self._in_bfloat16)


def _mean(hidden: Any, mask: Any) -> Any:
    kept = mask[:, :, None].float()
    return (hidden * kept).sum(1) / kept.sum(1)


def _runtime_version() -> str:
    try:
        return metadata.version("transformers")
    except metadata.PackageNotFoundError:
        raise PreconditionError(
            "a sentence encoder from a checkpoint needs transformers: pip install 'synthtrial[checkpoints]'",
            field="encoder",
        ) from None
