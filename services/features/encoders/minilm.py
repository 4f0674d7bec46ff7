"""all-MiniLM-L6-v2 in plain torch, in batches of few fixed shapes."""

import re
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

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

if TYPE_CHECKING:
    from services.features.bert import Bert

# Raised whenever a vector changes for a reason that the rest of the revision does not name.
ALGORITHM_VERSION = 1

_WORD = re.compile(r"\w+")


class MiniLm:
    """Sentence embeddings by mean pooling.

    A text is padded to the next multiple of eight tokens and stands in a batch
    of sixteen rows, computed by one thread. Its vector therefore never depends
    on the texts beside it.

    Args:
        longest: Tokens kept of a text, a multiple of eight.
        reduced: Whether to multiply in bfloat16; None asks the processor.
    """

    description = (
        "all-MiniLM-L6-v2, 384 dimensions, mean of at most 64 tokens; bfloat16 where the processor has it."
    )
    dimensions = DIMENSIONS

    def __init__(self, longest: int = 64, reduced: bool | None = None) -> None:
        self._longest = longest
        self._reduced = reduced

    @cached_property
    def revision(self) -> str:
        dtype = "bf16" if self._multiplies_in_bfloat16 else "fp32"
        return f"minilm/{ALGORITHM_VERSION}/{WEIGHTS_SHA256}/{dtype}/{self._longest}"

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Return one unit vector per text, shape (n, 384)."""
        from services.features.torch_running import threads_apart

        found = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]

        def fill(batch: tuple[list[int], int]) -> None:
            rows, length = batch
            found[rows] = self._encode_batch([tokens[i] for i in rows], length)

        # The weights are read before several threads could each read them.
        if len(texts) and self._bert:
            with threads_apart() as threads, ThreadPoolExecutor(threads) as pool:
                deque(pool.map(fill, batches([len(ids) for ids in tokens])), maxlen=0)
        return found

    def count_truncated(self, texts: Sequence[str]) -> int:
        """Return how many texts are longer than what is kept of them."""
        # A word is a token at least, and two mark the ends: most long texts are known without being tokenised.
        unsure = [text for text in texts if len(_WORD.findall(text)) <= self._longest - 2]
        cut = sum(bool(encoding.overflowing) for encoding in self._tokenizer.encode_batch(unsure))
        return len(texts) - len(unsure) + cut

    def _encode_batch(self, tokens: Sequence[Sequence[int]], length: int) -> Embeddings:
        import torch

        from services.features.bert import mean_embeddings

        ids, mask = padded(tokens, length)
        vectors = mean_embeddings(self._bert, torch.from_numpy(ids), torch.from_numpy(mask))
        return np.asarray(vectors[: len(tokens)].numpy(), dtype=np.float32)

    @cached_property
    def _multiplies_in_bfloat16(self) -> bool:
        if self._reduced is not None:
            return self._reduced
        from services.features.torch_running import multiplies_in_bfloat16

        return multiplies_in_bfloat16()

    @cached_property
    def _bert(self) -> "Bert":
        import torch
        from safetensors.torch import load

        from services.features.bert import load_bert

        data = verified_weights(model_folder())
        dtype = torch.bfloat16 if self._multiplies_in_bfloat16 else torch.float32
        return load_bert(load(data), ATTENTION_HEADS, dtype)

    @cached_property
    def _tokenizer(self) -> Any:
        return load_tokenizer(model_folder(), self._longest)


ENCODERS.register("minilm", MiniLm())
