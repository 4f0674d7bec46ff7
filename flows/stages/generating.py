"""Write, screen and account for the synthetic corpora."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import Any

from flows.cells import file_identity
from flows.design import GeneratorDesign
from flows.stages.context import Study
from flows.stages.loading import Material, replicate
from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import NotFoundError, StudyError
from services.generator.client import BackendInfo
from services.generator.planning import GenerationSpec, Outcome
from services.generator.screening import CorpusScreening, normalised, screen_corpus

VERSION = "1"
CAP = 3
SHOWN_EXAMPLES = 10


@dataclass(frozen=True)
class CorpusKey:
    """Which corpus: regime 0 for one that recurs in every regime."""

    generator: str
    replicate: int
    regime: int = 0


@dataclass(frozen=True)
class Written:
    """A corpus and its account: requested = accepted + rejected + failed.

    `flagged` counts what screening found in documents it did not remove.
    """

    key: CorpusKey
    corpus: str
    document_count: int
    requested: int
    rejected: dict[str, int]
    failed: dict[str, int]
    flagged: dict[str, int]
    exhausted: bool
    examples: list[dict[str, Any]]

    def __post_init__(self) -> None:
        lost = self.requested - self.accepted - sum(self.rejected.values()) - sum(self.failed.values())
        if self.corpus and lost:
            raise StudyError(f"{lost} candidates of {self.key.generator} are unaccounted for")

    @property
    def accepted(self) -> int:
        return self.document_count


def corpus_keys(study: Study) -> list[CorpusKey]:
    """Return every corpus the study needs, replicate by replicate."""
    design = study.design
    return [
        CorpusKey(generator.name, r, regime)
        for r in range(design.replicates)
        for generator in design.generators
        for regime in (generator.regimes if generator.scope == "regime" else (0,))
    ]


def write_corpus(study: Study, material: Material, key: CorpusKey) -> Written:
    """Ask for candidates until enough have passed both screenings, or find the result stored.

    Candidates are screened in the order of their index, so the corpus does not
    depend on how many were asked for at a time.
    """
    generator = study.design.generator(key.generator)
    spec = _specification(study, material, key, generator)
    identity = {
        "kind": "synthetic_corpus",
        "version": VERSION,
        "spec": _plain(spec),
        "backend_version": study.algorithms.get(spec.backend, ""),
        **file_identity(spec.parameters),
        "count": study.design.synthetic_documents,
        # Only a shared stock gives other documents to other replicates.
        "share": [key.replicate, study.design.replicates],
        "against": [material.train, material.test, material.reference],
    }
    stored = study.store.computed(identity, lambda: _write(study, material, key, spec))
    values = study.store.get_json(stored)
    values["key"] = CorpusKey(**values["key"])
    return Written(**values)


def _specification(
    study: Study, material: Material, key: CorpusKey, generator: GeneratorDesign
) -> GenerationSpec:
    behind = study.profile.behind(generator)
    shared = _backend(study, behind.backend).is_finite
    names = () if shared else (key.replicate, key.regime)
    return GenerationSpec(
        generator=generator.name,
        backend=behind.backend,
        parameters=behind.parameters,
        strategy=generator.strategy,
        seed=study.seed("generate", generator.name, *names),
        task=material.task,
        real=ArtifactRef.stored(material.train) if shared else _regime(study, material, key),
        label_source=generator.label_source,
        label_sets=(),
        genre=generator.genre,
    )


def _regime(study: Study, material: Material, key: CorpusKey) -> ArtifactRef:
    train = study.corpus(material.train)
    size = key.regime or study.design.smallest_regime
    return study.store.put_corpus(train.take(replicate(study, train, key.replicate).regime(size)))


def _plain(spec: GenerationSpec) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(spec)))
    return plain


def _write(study: Study, material: Material, key: CorpusKey, spec: GenerationSpec) -> ArtifactRef:
    wanted = study.design.synthetic_documents
    real = [study.corpus(sha) for sha in (material.train, material.test, material.reference) if sha]
    backend = _backend(study, spec.backend)
    keeps = backend.keeps_rejected
    outcomes: list[Outcome] = []
    kept: list[Document] = []
    screening = screen_corpus((), *real)
    exhausted = False
    while len(kept) < wanted and len(outcomes) < CAP * wanted and not exhausted:
        count = min(wanted - len(kept), CAP * wanted - len(outcomes))
        batch = _ask(study, spec, key, backend.is_finite, start=len(outcomes), count=count)
        exhausted = len(batch) < count
        outcomes += batch
        documents = _documents(outcomes)
        screening = screen_corpus(documents, *real)
        kept = documents if keeps else [documents[i] for i in screening.accepted]
    account = _account(key, outcomes, screening, keeps, real[0])
    corpus = _adopted(kept, real[0])
    if corpus:
        reference = study.store.put_corpus(Corpus(spec.task, corpus))
        account = replace(account, corpus=reference.sha256, document_count=len(corpus))
    return study.store.put_json(asdict(replace(account, exhausted=len(corpus) < wanted)))


def _backend(study: Study, name: str) -> BackendInfo:
    backends = {backend.name: backend for backend in study.clients.generator.list_backends()}
    if name not in backends:
        raise NotFoundError(
            f"the generator service has no backend {name!r}; there are: {', '.join(backends)}", name=name
        )
    return backends[name]


def _ask(
    study: Study, spec: GenerationSpec, key: CorpusKey, shared: bool, *, start: int, count: int
) -> list[Outcome]:
    """Return this replicate's next candidates.

    A shared stock is dealt out like cards, so that no two replicates hold the
    same document however many each of them asks for.
    """
    step = study.design.replicates if shared else 1
    asked = study.clients.generator.generate(spec, start=start * step, count=count * step)
    mine = key.replicate if shared else 0
    return [outcome for outcome in asked if outcome.index % step == mine]


def _documents(outcomes: list[Outcome]) -> list[Document]:
    return [outcome.document for outcome in outcomes if outcome.document is not None]


def _adopted(documents: list[Document], train: Corpus) -> tuple[Document, ...]:
    """Put documents that repeat a real one into that one's family.

    Otherwise a copy that names no source would stay in training while its
    original is held out, and lift the arm's own threshold.
    """
    families = {normalised(text): family for text, family in zip(train.texts, train.families, strict=True)}
    return tuple(
        replace(document, family=families.get(normalised(document.text), document.family))
        for document in documents
    )


def _account(
    key: CorpusKey, outcomes: list[Outcome], screening: CorpusScreening, keeps: bool, train: Corpus
) -> Written:
    rejected = Counter(outcome.rejection_reason for outcome in outcomes if outcome.rejection_reason)
    failed = Counter(outcome.failure_reason for outcome in outcomes if outcome.failure_reason)
    found = screening.reasons
    return Written(
        key=key,
        corpus="",
        document_count=0,
        requested=len(outcomes),
        rejected=dict(sorted((rejected if keeps else rejected + Counter(found)).items())),
        failed=dict(sorted(failed.items())),
        flagged=dict(found) if keeps else {},
        exhausted=False,
        examples=_examples(_documents(outcomes), screening, "flagged" if keeps else "rejected", train),
    )


def _examples(
    documents: list[Document], screening: CorpusScreening, outcome: str, train: Corpus
) -> list[dict[str, Any]]:
    texts = dict(zip(train.ids, train.texts, strict=True)) | {d.id: d.text for d in documents}
    return [
        {
            "outcome": outcome,
            "reason": rejection.reason,
            "text": documents[rejection.position].text,
            "nearest_id": rejection.nearest_id,
            "nearest_text": texts.get(rejection.nearest_id, ""),
            "similarity": rejection.similarity,
        }
        for rejection in screening.rejections[:SHOWN_EXAMPLES]
    ]
