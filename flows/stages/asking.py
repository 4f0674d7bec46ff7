"""What a generator is asked for in a study: its specification, and the real documents around it."""

from flows.design import GeneratorDesign
from flows.stages.accounting import CorpusKey, Real
from flows.stages.context import Study
from flows.stages.loading import Material, replicate
from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.errors import NotFoundError
from services.generator.client import BackendInfo
from services.generator.planning import GenerationSpec


def specification(
    study: Study, material: Material, key: CorpusKey, generator: GeneratorDesign
) -> GenerationSpec:
    """Return what decides every candidate of a corpus; replicates share that of a finite stock."""
    behind = study.profile.behind(generator)
    shared = backend_of(study, behind.backend).is_finite
    names = () if shared else (key.replicate, key.regime)
    return GenerationSpec(
        generator=generator.name,
        backend=behind.backend,
        parameters=behind.parameters,
        strategy=generator.strategy,
        seed=study.seed("generate", generator.name, *names),
        task=material.task,
        real=ArtifactRef.stored(material.train)
        if shared
        else study.store.put_corpus(_visible(study, material, key)),
        label_source=generator.label_source,
        label_sets=(),
        genre=generator.genre,
    )


def held_against(study: Study, material: Material, key: CorpusKey) -> Real:
    """Return the real documents that a corpus' candidates are held against."""
    return Real(
        train=study.corpus(material.train),
        test=study.corpus(material.test),
        reference=study.corpus(material.reference) if material.reference else None,
        visible=frozenset(_visible(study, material, key).ids),
    )


def backend_of(study: Study, name: str) -> BackendInfo:
    """Return a backend as the generator service describes it.

    Raises:
        NotFoundError: It has no such backend.
    """
    backends = {backend.name: backend for backend in study.clients.generator.list_backends()}
    if name not in backends:
        raise NotFoundError(
            f"the generator service has no backend {name!r}; there are: {', '.join(backends)}", name=name
        )
    return backends[name]


def _visible(study: Study, material: Material, key: CorpusKey) -> Corpus:
    """Return the real documents that a corpus may be written from: its replicate's regime."""
    train = study.corpus(material.train)
    size = key.regime or study.design.smallest_regime
    return train.take(replicate(study, train, key.replicate).regime(size))
