"""How far every file is from real text."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from flows.auditing.options import AuditOptions
from flows.report.inputs import Distance
from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.measurement import Measurement
from services.domain.seeds import derived_seed, stream
from services.evaluator.client import EvaluatorClient
from services.evaluator.planning import FidelitySpec
from services.features.named import is_fitted
from services.storage.store import Store

METRICS = ("mmd2",)
# Two of each half of the reference, so that a floor exists.
LEAST_DOCUMENTS = 4


def measure_distances(
    evaluator: EvaluatorClient,
    store: Store,
    corpora: Mapping[str, Corpus],
    real: Corpus,
    reference: Corpus,
    options: AuditOptions,
) -> dict[str, tuple[Distance, ...]]:
    """Measure all files that are large enough against held-out real documents.

    Args:
        corpora: Accepted documents by file.
        real: What a fitted encoder learns from.
        reference: The test documents; without a test file, the real documents themselves.
    """
    usable = {name: c for name, c in corpora.items() if min(len(c), len(reference)) >= LEAST_DOCUMENTS}
    measured = _measure(evaluator, store, tuple(usable.values()), real, reference, options) if usable else ()
    found = dict(zip(usable, (tuple(_distance(m) for m in row) for row in measured), strict=True))
    return {name: found.get(name, (_too_few(len(corpus)),)) for name, corpus in corpora.items()}


def scrambled(corpus: Corpus, rng: np.random.Generator) -> Corpus:
    """Return documents of the same lengths that say nothing: the ceiling of the distance.

    The letters of every word are shuffled. Shuffling words, or the columns of the vectors,
    leaves short texts as near to one another as they were.
    """
    documents = []
    for i, document in enumerate(corpus.documents):
        text = " ".join(_shuffled(word, rng) for word in document.text.split())
        documents.append(replace(document, id=f"scrambled:{i}", text=text, family=f"scrambled:{i}"))
    return Corpus(corpus.task, tuple(documents))


def _shuffled(word: str, rng: np.random.Generator) -> str:
    return "".join(word[i] for i in rng.permutation(len(word)))


def _measure(
    evaluator: EvaluatorClient,
    store: Store,
    corpora: Sequence[Corpus],
    real: Corpus,
    reference: Corpus,
    options: AuditOptions,
) -> tuple[tuple[Measurement, ...], ...]:
    known = store.put_corpus(reference)
    stored: tuple[ArtifactRef, ...] = tuple(store.put_corpus(corpus) for corpus in corpora)
    # An encoder that is fitted learns from the real training documents alone.
    fitted = is_fitted(options.encoder)
    fit_on = store.put_corpus(real) if fitted else None
    ceiling = store.put_corpus(scrambled(reference, stream(options.seed, "audit", "ceiling")))
    first, far, *matrices = evaluator.embed((known, ceiling, *stored), options.encoder, fit_on=fit_on)
    spec = FidelitySpec(
        reference=known,
        reference_embeddings=first,
        corpora=stored,
        embeddings=tuple(matrices),
        metrics=METRICS,
        ceiling=ceiling,
        ceiling_embeddings=far,
        seed=derived_seed(options.seed, "audit", "distances"),
    )
    return evaluator.measure_fidelity(spec)


def _distance(measured: Measurement) -> Distance:
    scale = measured.estimates
    return Distance(
        metric=measured.metric,
        value=measured.value,
        floor=scale.get("floor"),
        ceiling=scale.get("ceiling"),
        normalised=scale.get("normalised"),
        sample_count=measured.sample_count,
        undefined_reason=measured.undefined_reason,
    )


def _too_few(count: int) -> Distance:
    reason = f"a distance takes {LEAST_DOCUMENTS} documents on both sides, and the file has {count}"
    return Distance(METRICS[0], None, None, None, None, count, reason)
