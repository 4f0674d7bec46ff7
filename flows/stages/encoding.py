"""Embed every corpus of the study, each distinct text once."""

from collections.abc import Callable, Mapping, Sequence

from flows.stages.accounting import Written
from flows.stages.context import Study
from flows.stages.loading import Material
from services.domain.artifact import ArtifactRef
from services.domain.digest import text_digest
from services.domain.errors import PreconditionError
from services.features.named import is_fitted


def segments(material: Material, written: Sequence[Written]) -> tuple[str, ...]:
    """Return the corpora whose embeddings a study may need, each once."""
    found = [material.train, material.test, material.reference, *(w.corpus for w in written)]
    return tuple(dict.fromkeys(sha for sha in found if sha))


def count_texts(study: Study, corpora: Sequence[str]) -> int:
    """Return how many distinct texts there are to embed.

    Raises:
        PreconditionError: More than the design's budget.
    """
    digests = {text_digest(text) for sha in corpora for text in study.corpus(sha).texts}
    budget = study.design.embedding_budget
    if len(digests) > budget:
        raise PreconditionError(
            f"the study has {len(digests):,} distinct texts to embed, more than its budget of {budget:,}; raise "
            "embedding_budget, or lower replicates, synthetic_documents or the number of generators"
        )
    return len(digests)


def encode(
    study: Study, train: str, corpora: Sequence[str], on_progress: Callable[[int, int], None]
) -> Mapping[str, ArtifactRef]:
    """Return each corpus' matrix, shape (documents, dimensions), by the corpus' SHA-256.

    Args:
        train: The train pool: the only texts that an encoder is fitted on, if it is one that is fitted.
    """
    references = [ArtifactRef.stored(sha) for sha in corpora]
    fitted = is_fitted(study.design.encoder)
    matrices = study.clients.evaluator.embed(
        references,
        study.design.encoder,
        on_progress=lambda progress: on_progress(progress.done, progress.total),
        fit_on=ArtifactRef.stored(train) if fitted else None,
    )
    return dict(zip(corpora, matrices, strict=True))
