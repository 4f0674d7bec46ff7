"""Sentence embeddings of MiniLM in int8 against SentenceTransformer.encode.

Both get the same weights, the same texts and the same cut at 128 tokens; short texts
are single simulated documents, long ones several of them joined to an abstract's
length.
"""

from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any, NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from services.features.encoders.minilm_int8 import MiniLmInt8
from services.features.minilm_files import load_tokenizer, model_folder
from tests.benchmarks.comparison import Comparison, Table
from tests.benchmarks.limits import limits
from tests.benchmarks.simulated import simulated_documents
from tests.benchmarks.timing import in_turns

REPEATS = 3
LONGEST = 128
DOCUMENTS_JOINED = 3
GREATEST_DISTANCE = 0.005
# Six layers of 1.77 million weights, a product and a sum with each.
OPERATIONS_PER_TOKEN = 2 * 6 * 1.77e6

Encode = Callable[[Sequence[str]], np.ndarray]


class Size(NamedTuple):
    """Texts of each kind."""

    short: int = 512
    long: int = 160


FULL = Size()


def run(repeats: int = REPEATS, size: Size = FULL) -> Table:
    """Encode short and long texts by ours and by the peer, in turns."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        ours, peer = MiniLmInt8(LONGEST, threads=1).encode, _peer()
        rows = tuple(_compared(kind, texts, ours, peer, repeats) for kind, texts in _texts(size).items())
    versions = ", ".join(
        f"{name} {metadata.version(name)}" for name in ("sentence-transformers", "torch", "openvino")
    )
    return Table("Encoding", rows, repeats, versions)


def _peer() -> Encode:
    import transformers
    from sentence_transformers import SentenceTransformer

    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model: Any = SentenceTransformer(str(model_folder()), device="cpu")
    model.max_seq_length = LONGEST
    return lambda texts: np.asarray(model.encode(list(texts), show_progress_bar=False))


def _texts(size: Size) -> dict[str, list[str]]:
    count = size.short + DOCUMENTS_JOINED * size.long
    written = [text for text, _ in simulated_documents(count)]
    joined = [" ".join(written[i : i + DOCUMENTS_JOINED]) for i in range(size.short, count, DOCUMENTS_JOINED)]
    return {"short": written[: size.short], "long": joined}


def _compared(kind: str, texts: list[str], ours: Encode, peer: Encode, repeats: int) -> Comparison:
    for encode in (ours, peer):
        encode(texts[:64])  # Warms up.
    mine, theirs = in_turns(repeats, lambda: ours(texts), lambda: peer(texts))
    tokens = sum(len(one.ids) for one in load_tokenizer(model_folder(), LONGEST).encode_batch(texts))
    operations = tokens * OPERATIONS_PER_TOKEN / 1e9
    cosine = float((mine.result * theirs.result).sum(axis=1).mean())
    return Comparison(
        f"{len(texts)} {kind} texts of {tokens / len(texts):.0f} tokens, {len(texts) / mine.seconds:.0f} a second",
        f"`SentenceTransformer.encode`, {len(texts) / theirs.seconds:.0f} a second",
        mine.seconds,
        theirs.seconds,
        1 - cosine,
        GREATEST_DISTANCE,
        "1 − mean cosine",
        4.0,
        f"The products alone take {operations / limits().float32:.2f} s in float32 at the rate measured and "
        f"{operations / limits().bfloat16:.2f} s in bfloat16. Ours takes them in int8; attention, normalisation and tokens "
        "are not.",
    )
