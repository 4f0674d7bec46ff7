"""Latent semantic analysis: a distance space learned from training texts alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from services.domain.errors import InvalidInputError
from services.features.encoders import Arrays, Embeddings


@dataclass(frozen=True, slots=True)
class LsaModel:
    """What was learned from the training texts.

    Args:
        vocabulary: Term → column.
        idf: Shape (terms,).
        components: Shape (dimensions, terms), right singular vectors.
    """

    vocabulary: dict[str, int]
    idf: np.ndarray
    components: np.ndarray

    @property
    def dimensions(self) -> int:
        return int(self.components.shape[0])


def fit_lsa(texts: Sequence[str], dimensions: int, rng: np.random.Generator) -> LsaModel:
    """Learn terms, their weights and the leading directions.

    A corpus of n texts and m terms has at most min(n, m) - 1 directions, and
    gets fewer dimensions where that is less than was asked for.

    Raises:
        InvalidInputError: Fewer than three texts, or texts without two distinct terms.
    """
    vectorizer = _vectorizer(None)
    unique = list(dict.fromkeys(texts))
    try:
        counts = vectorizer.fit_transform(unique)
    except ValueError:
        raise InvalidInputError(
            "LSA found no term of two letters in the training texts", field="fit_on"
        ) from None
    kept = min(dimensions, min(counts.shape) - 1)
    if kept < 2:
        raise InvalidInputError(
            f"LSA needs three distinct texts and three terms, not {counts.shape[0]} and {counts.shape[1]}",
            field="fit_on",
        )
    svd = TruncatedSVD(kept, n_iter=4, random_state=int(rng.integers(2**32)))
    svd.fit(counts)
    vocabulary = {term: int(column) for term, column in vectorizer.vocabulary_.items()}
    return LsaModel(vocabulary, vectorizer.idf_.astype(np.float64), svd.components_.astype(np.float32))


def transform_lsa(model: LsaModel, texts: Sequence[str]) -> Embeddings:
    """Project texts, shape (n, dimensions), rows of unit length.

    A text without any known term has no direction: it becomes the zero vector.
    """
    vectorizer = _vectorizer(model.vocabulary)
    vectorizer.idf_ = model.idf
    weights: sp.csr_matrix = vectorizer.transform(list(texts))
    projected = weights.astype(np.float32) @ model.components.T
    return np.asarray(normalize(projected), dtype=np.float32)


def lsa_to_arrays(model: LsaModel) -> Arrays:
    """Return the model as arrays; terms as UTF-8, one a line, in column order."""
    terms = sorted(model.vocabulary, key=model.vocabulary.__getitem__)
    text = np.frombuffer("\n".join(terms).encode(), dtype=np.uint8)
    return {"components": model.components, "idf": model.idf, "terms": text}


def lsa_from_arrays(arrays: Arrays) -> LsaModel:
    """Return the model that `lsa_to_arrays` wrote."""
    terms = arrays["terms"].tobytes().decode().split("\n")
    return LsaModel({term: i for i, term in enumerate(terms)}, arrays["idf"], arrays["components"])


def _vectorizer(vocabulary: dict[str, int] | None) -> TfidfVectorizer:
    return TfidfVectorizer(sublinear_tf=True, dtype=np.float64, vocabulary=vocabulary)
