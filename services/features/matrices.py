"""Embedding matrices as they come out of the store: checked before use."""

from dataclasses import dataclass

import numpy as np

from services.domain.artifact import ArtifactRef
from services.domain.errors import InvalidInputError, PreconditionError
from services.features.encoders import Embeddings
from services.storage.store import Store


@dataclass(frozen=True, slots=True)
class Matrix:
    """One row per document; `encoder` is the revision, empty where unknown."""

    rows: Embeddings
    encoder: str


def read_matrix(store: Store, reference: ArtifactRef | str, row_count: int, field: str) -> Matrix:
    """Return a corpus' stored embeddings.

    Raises:
        InvalidInputError: The artifact holds no embeddings, not one row per
            document, or a value that is not finite.
    """
    arrays, metadata = store.get_arrays(reference)
    rows = arrays.get("embeddings")
    if rows is None or rows.ndim != 2:
        raise InvalidInputError("the artifact holds no matrix named 'embeddings'", field=field)
    if len(rows) != row_count:
        raise InvalidInputError(f"{len(rows)} embeddings for {row_count} documents", field=field)
    check_finite(rows, "the matrix", field)
    return Matrix(np.ascontiguousarray(rows, dtype=np.float32), metadata.get("encoder", ""))


def check_finite(rows: np.ndarray, what: str, field: str) -> None:
    """Refuse NaN and infinities, and say where the first one is."""
    bad = ~np.isfinite(rows).all(axis=1)
    if bad.any():
        row = int(np.argmax(bad))
        raise InvalidInputError(
            f"{what} has a value that is not finite in {int(bad.sum())} rows, first in row {row}; embed again",
            field=f"{field}[{row}]",
        )


def check_comparable(first: Matrix, second: Matrix, field: str) -> None:
    """Refuse to compare vectors of different encoders.

    Raises:
        InvalidInputError: Their dimensions differ.
        PreconditionError: Their encoder revisions differ.
    """
    if first.rows.shape[1] != second.rows.shape[1]:
        raise InvalidInputError(
            f"embeddings have {second.rows.shape[1]} dimensions where {first.rows.shape[1]} are needed",
            field=field,
        )
    if first.encoder and second.encoder and first.encoder != second.encoder:
        raise PreconditionError(
            f"embeddings of two encoders cannot be compared: {first.encoder} and {second.encoder}",
            field=field,
        )
