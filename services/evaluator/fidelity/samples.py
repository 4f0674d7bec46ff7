"""Corpora as samples: families as numbers, and whether they may be exchanged."""

from collections.abc import Iterable, Sequence

import numpy as np

from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError
from services.domain.task import Indicator
from services.evaluator.fidelity import Floats, Sample

UNIT_TOLERANCE = 1e-2


def corpus_sample(
    corpus: Corpus,
    embeddings: Floats,
    reference: Corpus | None,
    field: str,
    names: Sequence[str] | None = None,
) -> Sample:
    """Return a corpus' documents as a sample.

    Args:
        corpus: The documents.
        embeddings: Shape (n, d), of unit length or zero.
        reference: What the corpus will be compared with; None for the reference itself.
        field: Where the embeddings stand in the request, for the error.
        names: All families of the request, as of `family_names`; None for the corpus' own.

    Raises:
        InvalidInputError: A vector has neither unit length nor length zero.
    """
    lengths = np.linalg.norm(embeddings.astype(np.float64), axis=1)
    bad = (np.abs(lengths - 1) > UNIT_TOLERANCE) & (lengths > 0)
    if bad.any():
        row = int(np.argmax(bad))
        raise InvalidInputError(
            f"embeddings need unit length, and row {row} has length {lengths[row]:.3g}: normalise them",
            field=f"{field}[{row}]",
        )
    code = {name: i for i, name in enumerate(family_names([corpus]) if names is None else names)}
    real = corpus if reference is None else reference
    return Sample(
        embeddings,
        np.array([code[family] for family in corpus.families], dtype=np.int64),
        not_exchangeable="" if reference is None else dependence(corpus, reference),
        texts=corpus.texts,
        labels=_labels(corpus, real),
        label_names=real.task.labels,
    )


def family_names(corpora: Iterable[Corpus]) -> list[str]:
    """Return the families of some corpora in alphabetical order: the order of their codes."""
    return sorted({family for corpus in corpora for family in corpus.families})


def _labels(corpus: Corpus, reference: Corpus) -> Indicator | None:
    """Return labels in the reference's columns, None for a task with other labels."""
    if set(corpus.task.labels) != set(reference.task.labels):
        return None
    return reference.task.encode([document.labels for document in corpus.documents])


def dependence(corpus: Corpus, reference: Corpus) -> str:
    """Say why families do not hold everything that depends on each other, or nothing.

    A document written without a named source may share its exemplars, or the
    documents its generator learned from, with any other.
    """
    sourceless = sum(d.provenance is not None and not d.provenance.source_id for d in corpus.documents)
    if sourceless:
        return f"{sourceless} synthetic documents name no source, so what depends on what is unknown"
    shared = set(corpus.families) & set(reference.families)
    if shared:
        return f"{len(shared)} families stand in the reference as well"
    family_of: dict[str, str] = {}
    for document in (*reference.documents, *corpus.documents):
        if family_of.setdefault(document.text, document.family) != document.family:
            return "equal texts stand in different families"
    return ""
