"""Latent semantic analysis as an encoder: needs training texts, no model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.domain.seeds import stream
from services.features.encoders import ENCODERS, Arrays, Embeddings, Encoder

if TYPE_CHECKING:
    from services.features.lsa import LsaModel

# Raised whenever a vector changes for a reason that the rest of the revision does not name.
ALGORITHM_VERSION = 1
# The random start of the decomposition is part of the algorithm: the same texts
# must give the same space in every study.
DECOMPOSITION_SEED = 0


@dataclass(frozen=True, slots=True)
class Projection:
    """A fitted space."""

    description: str
    revision: str
    model: "LsaModel"

    @property
    def dimensions(self) -> int:
        return self.model.dimensions

    def encode(self, texts: Sequence[str]) -> Embeddings:
        """Return one unit vector per text; zero where no term is known."""
        from services.features.lsa import transform_lsa

        return transform_lsa(self.model, texts)


class Lsa:
    """TF-IDF and a truncated singular value decomposition.

    Texts the space was fitted on lie in it a little apart from unseen ones: measure
    distances to held-out documents.

    Args:
        dimensions: At most; fewer for small training corpora.
    """

    description = "Latent semantic analysis fitted on training texts; runs without any model."

    def __init__(self, dimensions: int = 384) -> None:
        self._dimensions = dimensions

    @property
    def revision(self) -> str:
        return f"lsa/{ALGORITHM_VERSION}/{self._dimensions}"

    def fit(self, texts: Sequence[str]) -> Arrays:
        """Learn the space of some training texts."""
        from services.features.lsa import fit_lsa, lsa_to_arrays

        rng = stream(DECOMPOSITION_SEED, self.revision)
        return lsa_to_arrays(fit_lsa(texts, self._dimensions, rng))

    def restore(self, learned: Arrays, digest: str) -> Encoder:
        """Return the encoder of a learned space."""
        from services.features.lsa import lsa_from_arrays

        return Projection(self.description, f"{self.revision}/{digest}", lsa_from_arrays(learned))


ENCODERS.register("lsa", Lsa())
