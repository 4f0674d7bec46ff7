"""Write, screen and account for the synthetic corpora."""

import math
from dataclasses import asdict

from flows.cells import file_identity
from flows.design_parts import DISJOINT
from flows.stages.accounting import CorpusKey, Written, screen
from flows.stages.accounts import account, is_whole, read_account
from flows.stages.asking import backend_of, held_against, specification
from flows.stages.context import Study
from flows.stages.loading import Material
from flows.stages.stock import share_of_stock
from flows.stages.values import plain
from flows.versions import WRITING
from services.domain.artifact import ArtifactRef
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

    Raises:
        PreconditionError: It is a share of a stock that does not suffice for all replicates.
    """
    generator = study.design.generator(key.generator)
    if generator.draws == DISJOINT:
        return share_of_stock(study, material, key)
    spec = specification(study, material, key, generator)
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
    if known is not None and is_whole(study, written := _read(study, known)):
        return written
    # A writer that never writes the same twice does not bring back a corpus that is lost.
    file = study.store.publish if known is None else study.store.replace
    return _read(study, file(identity, _write(study, material, key, spec)))


def _read(study: Study, reference: ArtifactRef) -> Written:
    return read_account(study.store.get_json(reference))


def _write(study: Study, material: Material, key: CorpusKey, spec: GenerationSpec) -> ArtifactRef:
    wanted = study.design.documents_of(study.design.generator(key.generator))
    backend = backend_of(study, spec.backend)
    real = held_against(study, material, key)
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
    return study.store.put_json(asdict(account(study, key, spec.task, len(outcomes), screened)))


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
