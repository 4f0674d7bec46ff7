"""Sentence embeddings of a run: given ones are checked, missing ones computed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.classifier.families import Floats, Source, TextBlock
from services.domain.artifact import ArtifactRef
from services.domain.errors import InvalidInputError
from services.storage.store import Store

# Unit vectors are what encoders give; this is far from them and from the end of 32-bit numbers.
LARGEST = 1e9


def complete_embeddings(
    store: Store, corpora: Sequence[ArtifactRef], given: Mapping[str, ArtifactRef], encoder: str
) -> dict[str, ArtifactRef]:
    """Return an embedding artifact for every corpus, by the corpus's SHA-256.

    Raises:
        InvalidInputError: Some are missing and no encoder is named.
    """
    missing = [corpus for corpus in dict.fromkeys(corpora) if corpus.sha256 not in given]
    if missing and not encoder:
        raise InvalidInputError(
            f"{len(missing)} corpora have no embeddings and no encoder is named; give either", field="encoder"
        )
    computed: Sequence[ArtifactRef] = []
    if missing:
        computed = _computed(store, missing, encoder)
    found = dict(given) | {corpus.sha256: ref for corpus, ref in zip(missing, computed, strict=True)}
    return {corpus.sha256: found[corpus.sha256] for corpus in corpora}


def _computed(store: Store, corpora: Sequence[ArtifactRef], encoder: str) -> Sequence[ArtifactRef]:
    from services.features.named import is_fitted
    from services.features.store import embed_corpora

    if is_fitted(encoder):
        raise InvalidInputError(
            f"the encoder {encoder!r} learns from training texts, which a training run does not name; embed the "
            "corpora with the evaluator and give their embeddings, or name another encoder",
            field="encoder",
        )
    return embed_corpora(store, corpora, encoder)


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors of all documents of a source.

    Args:
        vectors: Shape (n, d).
        revision: Of the encoder, "" if not known.
        truncated: How many texts it did not read to the end; None where it does not say.
    """

    vectors: Floats
    revision: str
    truncated: int | None = None


def read_embeddings(source: Source) -> Embeddings:
    """Return the embeddings of a source, block after block.

    Raises:
        InvalidInputError: Not one row per text, a value that is not finite, or
            blocks of different encoders.
    """
    blocks = [_read(source, block) for block in source.blocks]
    first = blocks[0]
    for block in blocks:
        if block.revision != first.revision or block.vectors.shape[1] != first.vectors.shape[1]:
            raise InvalidInputError(
                f"embeddings of different encoders: {first.revision or 'unknown'} with {first.vectors.shape[1]} "
                f"columns and {block.revision or 'unknown'} with {block.vectors.shape[1]}; embed all with one",
                field="embeddings",
            )
    counts = [block.truncated for block in blocks if block.truncated is not None]
    truncated = sum(counts) if len(counts) == len(blocks) else None
    return Embeddings(np.concatenate([block.vectors for block in blocks]), first.revision, truncated)


def _read(source: Source, block: TextBlock) -> Embeddings:
    if block.corpus is None:
        from services.features.store import encode_chunk, open_encoder

        encoder = open_encoder(source.store, source.encoder)
        return Embeddings(encode_chunk(encoder, block.texts), encoder.revision)
    name = f"embeddings[{block.corpus.sha256}]"
    arrays, metadata = source.store.get_arrays(source.embeddings[block.corpus.sha256])
    if "embeddings" not in arrays:
        raise InvalidInputError(f"{name} is no embedding artifact: it holds {sorted(arrays)}", field=name)
    vectors = _checked(arrays["embeddings"], len(block.texts), name)
    truncated = metadata.get("truncated_texts")
    return Embeddings(vectors, metadata.get("encoder", ""), None if truncated is None else int(truncated))


def _checked(found: np.ndarray, count: int, name: str) -> Floats:
    if found.ndim != 2 or len(found) != count:
        raise InvalidInputError(f"{name} has shape {found.shape} for {count} documents", field=name)
    broken = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(broken):
        raise InvalidInputError(
            f"{name} is not finite in {len(broken)} rows, first in row {broken[0]}; compute it again",
            field=name,
        )
    largest = float(np.abs(found).max(initial=0))
    if largest > LARGEST:
        raise InvalidInputError(
            f"{name} holds values up to {largest:.3g}, and a sum of their squares has no end in 32-bit numbers; "
            "scale the vectors, to unit length as the encoders do",
            field=name,
        )
    return np.asarray(found, np.float32)
