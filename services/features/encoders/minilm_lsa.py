"""MiniLM beside latent semantics: what a model knows, and what the training texts say."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.features.encoders import ENCODERS, Arrays, Embeddings, Encoder, FittedEncoder, Truncating
from services.features.encoders.lsa import Lsa
from services.features.encoders.minilm import MiniLm

# Raised whenever a vector changes for a reason that the rest of the revision does not name.
ALGORITHM_VERSION = 1
# The model's share of an inner product; the rest is the fitted space's.
SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Joined:
    """Two encoders side by side; an inner product is the weighted mean of theirs.

    A text of which one of the two knows nothing (a zero vector) has the other's
    vector at full length.
    """

    description: str
    revision: str
    first: Encoder
    second: Encoder
    share: float

    @property
    def dimensions(self) -> int:
        return self.first.dimensions + self.second.dimensions

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Return one unit vector per text, the first encoder's columns first."""
        parts = np.concatenate(
            [
                np.sqrt(self.share) * self.first.encode(texts),
                np.sqrt(1 - self.share) * self.second.encode(texts),
            ],
            axis=1,
        )
        lengths = np.linalg.norm(parts, axis=1, keepdims=True)
        return np.asarray(parts / np.where(lengths > 0, lengths, 1), dtype=np.float32)

    def count_truncated(self, texts: Sequence[str]) -> int:
        """Return how many texts the first encoder does not read to the end; the second reads all."""
        return self.first.count_truncated(texts) if isinstance(self.first, Truncating) else 0


class MiniLmLsa:
    """Sentence embeddings and a space fitted on training texts, concatenated.

    Args:
        sentences: The model's half.
        fitted: The half that learns from training texts.
        share: Of the model in an inner product, in (0, 1).
    """

    description = (
        "MiniLM and latent semantics fitted on training texts, unit vectors side by side, equal shares."
    )

    def __init__(
        self, sentences: Encoder | None = None, fitted: FittedEncoder | None = None, share: float = SHARE
    ) -> None:
        self._sentences = sentences or MiniLm()
        self._fitted = fitted or Lsa()
        self._share = share

    @property
    def revision(self) -> str:
        halves = f"{self._sentences.revision}+{self._fitted.revision}"
        return f"minilm_lsa/{ALGORITHM_VERSION}/{self._share:g}/{halves}"

    def fit(self, texts: Sequence[str]) -> Arrays:
        """Learn the fitted half; the model learns nothing."""
        return self._fitted.fit(texts)

    def restore(self, learned: Arrays, digest: str) -> Encoder:
        """Return the pair with a learned space."""
        second = self._fitted.restore(learned, digest)
        return Joined(self.description, f"{self.revision}/{digest}", self._sentences, second, self._share)


ENCODERS.register("minilm_lsa", MiniLmLsa())
