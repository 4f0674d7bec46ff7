"""Write, screen and account for the synthetic corpora."""

import math
from dataclasses import asdict

from flows.cells import file_identity
from flows.design import GeneratorDesign
from flows.stages.accounting import CorpusKey, Real, Screened, Written, screen
from flows.stages.context import Study
from flows.stages.loading import Material, replicate
from flows.stages.values import plain
from flows.versions import WRITING
from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.errors import NotFoundError
from services.generator.client import BackendInfo
from services.generator.planning import GenerationSpec, Outcome

CAP = 3


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
        "version": WRITING,
        "spec": plain(spec),
        "backend_version": study.algorithms.get(spec.backend, ""),
        **file_identity(spec.parameters),
        "count": study.design.documents_of(generator),
        # Only a shared stock gives other documents to other replicates.
        "share": [key.replicate, study.design.replicates],
        "against": [material.train, material.test, material.reference],
    }
    known = study.store.lookup(identity)
    if known is not None and _whole(study, written := _read(study, known)):
        return written
    return _read(study, study.store.publish(identity, _write(study, material, key, spec)))


def _read(study: Study, account: ArtifactRef) -> Written:
    values = study.store.get_json(account)
    values["key"] = CorpusKey(**values["key"])
    return Written(**values)


def _whole(study: Study, written: Written) -> bool:
    """Say whether an account's corpus is still there; one that was damaged and set aside is written anew."""
    return not written.corpus or study.store.objects.has(written.corpus)


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
    return study.store.put_corpus(_visible(study, material, key))


def _visible(study: Study, material: Material, key: CorpusKey) -> Corpus:
    """Return the real documents that a corpus may be written from: its replicate's regime."""
    train = study.corpus(material.train)
    size = key.regime or study.design.smallest_regime
    return train.take(replicate(study, train, key.replicate).regime(size))


def _write(study: Study, material: Material, key: CorpusKey, spec: GenerationSpec) -> ArtifactRef:
    wanted = study.design.documents_of(study.design.generator(key.generator))
    backend = _backend(study, spec.backend)
    real = _real(study, material, key)
    outcomes: list[Outcome] = []
    screened = screen(outcomes, real, keeps_rejected=backend.keeps_rejected)
    exhausted = False
    # A stock of documents costs nothing to look through to its end; writing on and on does.
    most = math.inf if backend.is_finite else CAP * wanted
    while len(screened.kept) < wanted and len(outcomes) < most and not exhausted:
        count = int(min(wanted - len(screened.kept), most - len(outcomes)))
        batch = _ask(study, spec, key, backend.is_finite, start=len(outcomes), count=count)
        exhausted = len(batch) < count
        outcomes += batch
        screened = screen(outcomes, real, keeps_rejected=backend.keeps_rejected)
    return study.store.put_json(asdict(_account(study, key, spec, outcomes, screened)))


def _account(
    study: Study, key: CorpusKey, spec: GenerationSpec, outcomes: list[Outcome], screened: Screened
) -> Written:
    corpus = Corpus(spec.task, screened.kept) if screened.kept else None
    return Written(
        key=key,
        corpus=study.store.put_corpus(corpus).sha256 if corpus else "",
        document_count=len(screened.kept),
        requested=len(outcomes),
        rejected=screened.rejected,
        failed=screened.failed,
        flagged=screened.flagged,
        exhausted=len(screened.kept) < study.design.documents_of(study.design.generator(key.generator)),
        examples=screened.examples,
    )


def _real(study: Study, material: Material, key: CorpusKey) -> Real:
    return Real(
        train=study.corpus(material.train),
        test=study.corpus(material.test),
        reference=study.corpus(material.reference) if material.reference else None,
        visible=frozenset(_visible(study, material, key).ids),
    )


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
