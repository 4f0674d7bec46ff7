"""Sentence embeddings of MiniLM in int8 against SentenceTransformer.encode.

Both get the same weights, the same texts and the same cut at 128 tokens; short texts
are single simulated documents, long ones several of them joined to an abstract's
length. CPU seconds of one thread, ours and the peer taking turns. Run with
`python -m tests.benchmarks.encoding [repeats]`; fails only where the mean cosine to
the peer's vectors is below 0.995.
"""

from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any, NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from services.features.encoders.minilm_int8 import MiniLmInt8
from services.features.minilm_files import load_tokenizer, model_folder
from services.generator.backends import WriteRequest
from services.generator.backends.simulator import Simulator
from services.generator.simulation.taxonomy import load_taxonomy
from tests.benchmarks.timing import main, timed

LONGEST = 128
SEED = 20260101
# A chunk of the feature store, and a quarter of one.
SHORT_TEXTS = 1024
LONG_TEXTS = 256
DOCUMENTS_JOINED = 3
LEAST_COSINE = 0.995

Encode = Callable[[Sequence[str]], np.ndarray]


class Row(NamedTuple):
    """One kind of text: texts per CPU second, medians over the repeats."""

    texts: str
    text_count: int
    tokens: float
    ours_rate: float
    peer_rate: float
    cosine: float

    @property
    def ratio(self) -> float:
        return self.ours_rate / self.peer_rate

    @property
    def equal(self) -> bool:
        return self.cosine >= LEAST_COSINE


def run(repeats: int = 5) -> list[Row]:
    """Encode short and long texts by ours and by the peer, in turns."""
    torch.set_num_threads(1)
    ours = MiniLmInt8(LONGEST, threads=1).encode
    with threadpool_limits(1):
        peer = _peer()
        return [_compared(kind, texts, ours, peer, repeats) for kind, texts in _texts().items()]


def _peer() -> Encode:
    import transformers
    from sentence_transformers import SentenceTransformer

    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model: Any = SentenceTransformer(str(model_folder()), device="cpu")
    model.max_seq_length = LONGEST
    return lambda texts: np.asarray(model.encode(list(texts), show_progress_bar=False))


def _texts() -> dict[str, list[str]]:
    writer = Simulator().prepare(load_taxonomy().task(), None, {"preset": "reality"}, SEED)
    assert writer.label_law is not None
    count = SHORT_TEXTS + DOCUMENTS_JOINED * LONG_TEXTS
    requests = [WriteRequest(i, SEED, writer.label_law(i) or (), True) for i in range(count)]
    written = [candidate.text for candidate in writer.write(requests)]
    joined = [
        " ".join(written[i : i + DOCUMENTS_JOINED]) for i in range(SHORT_TEXTS, count, DOCUMENTS_JOINED)
    ]
    return {"short": written[:SHORT_TEXTS], "long": joined}


def _compared(kind: str, texts: list[str], ours: Encode, peer: Encode, repeats: int) -> Row:
    for encode in (ours, peer):
        encode(texts)  # Warms up, at every length.
    seconds = np.empty((repeats, 2))
    for i in range(repeats):
        seconds[i, 0], found = timed(lambda: ours(texts), 1)
        seconds[i, 1], expected = timed(lambda: peer(texts), 1)
    encoded = load_tokenizer(model_folder(), LONGEST).encode_batch(texts)
    tokens = float(np.mean([len(one.ids) for one in encoded]))
    ours_rate, peer_rate = (float(rate) for rate in len(texts) / np.median(seconds, axis=0))
    cosine = float((found * expected).sum(axis=1).mean())
    return Row(kind, len(texts), tokens, ours_rate, peer_rate, cosine)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as text."""
    peer = f"sentence-transformers {metadata.version('sentence-transformers')} with torch {torch.__version__}"
    lines = [
        f"MiniLM at {LONGEST} tokens against {peer}; OpenVINO {metadata.version('openvino')}",
        f"{'texts':6} {'n':>5} {'tokens':>6} {'ours, 1/s':>10} {'peer, 1/s':>10} {'ratio':>6} {'cosine':>7}  equal",
    ]
    lines += [
        f"{row.texts:6} {row.text_count:5} {row.tokens:6.0f} {row.ours_rate:10.1f} {row.peer_rate:10.1f} "
        f"{row.ratio:6.1f} {row.cosine:7.4f}  {'yes' if row.equal else 'NO'}"
        for row in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main(run, table)
