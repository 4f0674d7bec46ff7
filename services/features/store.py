"""The feature store: every text is encoded once per encoder revision.

Matrices are filed by corpus and revision. Texts no matrix holds yet are encoded
in chunks that are filed one by one, so that a killed job loses one chunk.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.domain.artifact import ArtifactRef
from services.domain.digest import spec_digest, text_digest
from services.domain.errors import InvalidInputError
from services.features.encoders import Embeddings, Encoder, FittedEncoder, Truncating
from services.features.matrices import check_finite
from services.features.named import encoder_named
from services.storage.store import Store

# Some seconds of work: what a kill can cost, and how often progress is seen.
CHUNK_TEXTS = 1024

Report = Callable[[dict[str, Any]], None]
Chunk = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Job:
    """Corpora to embed, and which share of the chunks is this worker's."""

    store: Store
    encoder: Encoder
    corpora: tuple[str, ...]
    shard: int = 0
    shard_count: int = 1


def embed(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Embed corpora; the worker job behind Embed.

    Several workers share the encoding when each gets the same payload with its
    own `shard` of `of`; a last job without them then finds every chunk in the
    store and only assembles.

    Args:
        payload: store, corpora (digests), encoder; optionally fit_on (digest),
            and shard with of.
        report: Gets activity, done_count and total_count, in texts.

    Returns:
        embeddings: sha256 and row_count per corpus (none from a shard that had to encode);
        encoder_revision.
    """
    store = Store(payload["store"])
    encoder = open_encoder(store, payload["encoder"], payload.get("fit_on"))
    shard_count = int(payload.get("of", 1))
    job = _Job(store, encoder, tuple(payload["corpora"]), int(payload.get("shard", 0)), shard_count)
    found = [store.lookup(_matrix_key(job, digest)) for digest in job.corpora]
    references = [reference for reference in found if reference is not None]
    if len(references) < len(found):
        references = _embed(job, report, assembling="shard" not in payload)
    return {
        "embeddings": [{"sha256": r.sha256, "row_count": r.row_count} for r in references],
        "encoder_revision": encoder.revision,
    }


def embed_corpora(
    store: Store, corpora: Sequence[ArtifactRef], encoder: str, fit_on: ArtifactRef | None = None
) -> tuple[ArtifactRef, ...]:
    """Embed corpora in this process and return one matrix each, rows in the corpus' order."""
    payload = {
        "store": str(store.root),
        "corpora": [c.sha256 for c in corpora],
        "encoder": encoder,
        "fit_on": fit_on.sha256 if fit_on else None,
    }
    found = embed(payload, lambda _: None)["embeddings"]
    return tuple(ArtifactRef.stored(item["sha256"], item["row_count"]) for item in found)


def open_encoder(store: Store, name: str, fit_on: str | None = None) -> Encoder:
    """Return an encoder that is ready to encode.

    Args:
        store: Where fitted models are kept, by encoder and training corpus.
        name: See `encoder_named`.
        fit_on: Digest of the training corpus, for encoders that are fitted.

    Raises:
        NotFoundError: No such encoder.
        InvalidInputError: Training texts are missing, or given to an encoder
            that takes none.
    """
    entry = encoder_named(name)
    if isinstance(entry, FittedEncoder):
        return _fitted(store, name, entry, fit_on)
    if fit_on:
        raise InvalidInputError(f"the encoder {name!r} is not fitted: leave fit_on out", field="fit_on")
    return entry


def plan_chunks(digests: Iterable[str], known: Iterable[str], size: int = CHUNK_TEXTS) -> tuple[Chunk, ...]:
    """Cut the distinct texts nobody has encoded into chunks, in order of appearance."""
    held = set(known)
    missing = [digest for digest in dict.fromkeys(digests) if digest not in held]
    return tuple(tuple(missing[start : start + size]) for start in range(0, len(missing), size))


def encode_chunk(encoder: Encoder, texts: Sequence[str]) -> Embeddings:
    """Encode texts and refuse vectors that are not finite."""
    vectors = encoder.encode(texts)
    check_finite(vectors, f"encoder {encoder.revision.split('/')[0]!r}", "texts")
    return vectors


def assemble(digests: Sequence[str], vectors: Mapping[str, np.ndarray]) -> Embeddings:
    """Return the matrix of some texts, shape (n, dimensions), in their order."""
    return np.stack([vectors[digest] for digest in digests]).astype(np.float32)


def corpus_texts(store: Store, digest: str) -> list[str]:
    """Return a stored corpus' texts without building its documents.

    Raises:
        InvalidInputError: The artifact is not a corpus.
    """
    table = store.get_table(digest)
    if "text" not in table.column_names:
        raise InvalidInputError(f"artifact {digest[:12]}… is not a corpus", field="corpora")
    return [str(text) for text in table.column("text").to_pylist()]


def _fitted(store: Store, name: str, entry: FittedEncoder, fit_on: str | None) -> Encoder:
    if not fit_on:
        raise InvalidInputError(
            f"the encoder {name!r} learns from training texts: give fit_on", field="fit_on"
        )
    specification = {"kind": "fitted_encoder", "encoder": entry.revision, "corpus": fit_on}
    learned = store.computed(
        specification,
        lambda: store.put_arrays(entry.fit(corpus_texts(store, fit_on)), {"encoder": entry.revision}),
    )
    return entry.restore(store.get_arrays(learned)[0], learned.sha256)


def _embed(job: _Job, report: Report, assembling: bool) -> list[ArtifactRef]:
    texts = {digest: corpus_texts(job.store, digest) for digest in dict.fromkeys(job.corpora)}
    vectors = _encode_missing(job, texts, report)
    if not assembling:
        return []
    return [_matrix(job, digest, texts[digest], vectors) for digest in job.corpora]


def _encode_missing(job: _Job, texts: Mapping[str, list[str]], report: Report) -> dict[str, np.ndarray]:
    """Return all vectors by text digest; those of other shards are left out."""
    by_digest = {text_digest(text): text for corpus in texts.values() for text in corpus}
    vectors = _known_vectors(job, texts)
    chunks = _agreed_chunks(job, by_digest, vectors)
    mine = [chunk for i, chunk in enumerate(chunks) if i % job.shard_count == job.shard]
    done, total = 0, sum(map(len, mine))
    for chunk in mine:
        new = job.store.lookup(_chunk_key(job, chunk)) is None
        vectors.update(zip(chunk, _chunk_vectors(job, chunk, by_digest), strict=True))
        done += len(chunk)
        if new:
            report({"activity": "texts embedded", "done_count": done, "total_count": total})
    return vectors


def _known_vectors(job: _Job, texts: Mapping[str, list[str]]) -> dict[str, np.ndarray]:
    known: dict[str, np.ndarray] = {}
    for digest, corpus in texts.items():
        reference = job.store.lookup(_matrix_key(job, digest))
        if reference:
            matrix = job.store.get_arrays(reference)[0]["embeddings"]
            known.update(zip(map(text_digest, corpus), matrix, strict=True))
    return known


def _agreed_chunks(job: _Job, wanted: Iterable[str], known: Mapping[str, np.ndarray]) -> tuple[Chunk, ...]:
    """Return the chunks that all workers of this request, now and after a restart, agree on."""
    chunks = plan_chunks(wanted, known)
    key = {"kind": "embedding_chunks", "encoder": job.encoder.revision, "corpora": sorted(set(job.corpora))}
    if not chunks:
        return ()
    stored = job.store.get_json(job.store.computed(key, lambda: job.store.put_json(chunks)))
    agreed = tuple(tuple(chunk) for chunk in stored)
    missing = {digest for chunk in chunks for digest in chunk}
    if not missing <= {digest for chunk in agreed for digest in chunk}:
        # A matrix that was complete then has been quarantined since.
        return chunks
    return tuple(chunk for chunk in agreed if not missing.isdisjoint(chunk))


def _chunk_vectors(job: _Job, chunk: Chunk, texts: Mapping[str, str]) -> Embeddings:
    def compute() -> ArtifactRef:
        vectors = encode_chunk(job.encoder, [texts[digest] for digest in chunk])
        return job.store.put_arrays({"embeddings": vectors}, {"encoder": job.encoder.revision})

    return job.store.get_arrays(job.store.computed(_chunk_key(job, chunk), compute))[0]["embeddings"]


def _chunk_key(job: _Job, chunk: Chunk) -> dict[str, str]:
    return {"kind": "embedded_texts", "encoder": job.encoder.revision, "texts": spec_digest(list(chunk))}


def _matrix(job: _Job, digest: str, texts: Sequence[str], vectors: Mapping[str, np.ndarray]) -> ArtifactRef:
    def compute() -> ArtifactRef:
        matrix = assemble([text_digest(text) for text in texts], vectors)
        metadata = {"encoder": job.encoder.revision, "corpus": digest}
        if isinstance(job.encoder, Truncating):
            metadata["truncated_texts"] = str(job.encoder.count_truncated(texts))
        return job.store.put_arrays({"embeddings": matrix}, metadata)

    return job.store.computed(_matrix_key(job, digest), compute)


def _matrix_key(job: _Job, digest: str) -> dict[str, str]:
    return {"kind": "embeddings", "encoder": job.encoder.revision, "corpus": digest}
