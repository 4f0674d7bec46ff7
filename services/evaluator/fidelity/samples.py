"""Corpora as samples: families as numbers, and whether they may be exchanged."""

import numpy as np

from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError
from services.evaluator.fidelity import Floats, Sample

UNIT_TOLERANCE = 1e-2


def corpus_sample(corpus: Corpus, embeddings: Floats, reference: Corpus | None, field: str) -> Sample:
    """Return a corpus' documents as a sample.

    Args:
        corpus: The documents.
        embeddings: Shape (n, d), of unit length or zero.
        reference: What the corpus will be compared with; None for the reference itself.
        field: Where the embeddings stand in the request, for the error.

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
    _, families = np.unique(np.array(corpus.families), return_inverse=True)
    refusal = "" if reference is None else dependence(corpus, reference)
    return Sample(embeddings, families.astype(np.int64), None, refusal)


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
