"""Compose the plans of a batch of cells, train them and score them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flows.cells import Batch, Cell
from flows.conditions import CONDITIONS, Composition, Scene, Segment
from flows.conditions.settings import WEIGHT_FACTOR, trained_as
from flows.stages.accounting import CorpusKey, Written
from flows.stages.context import Study
from flows.stages.loading import Material, replicate
from services.classifier.specification import TrainingSpec
from services.domain.artifact import ArtifactRef
from services.domain.errors import PreconditionError
from services.domain.measurement import Measurement
from services.domain.seeds import stream

CHOSEN_IN_TRAINING = ("strength", "pseudo_")


@dataclass(frozen=True)
class Trained:
    """One cell's stored result: predictions, plan and measurements.

    Real documents are those of the regime and new ones alike, each once; copies
    of them are counted apart.
    """

    cell: str
    predictions: str
    plan: str
    real_documents: int
    copied_documents: int
    synthetic_documents: int
    estimates: dict[str, float]
    measurements: list[dict[str, Any]]


def finished(study: Study, cell: Cell) -> Trained | None:
    """Return a cell's result when the store has it, whole."""
    stored = study.store.lookup(_key(cell))
    if stored is None:
        return None
    trained = Trained(**study.store.get_json(stored))
    return trained if study.store.objects.has(trained.predictions) else None


def train_batch(
    study: Study,
    material: Material,
    written: Mapping[CorpusKey, Written],
    embeddings: Mapping[str, ArtifactRef],
    batch: Batch,
    on_progress: Callable[[int, int], None],
) -> int:
    """Train, score and store the cells of a batch that the store lacks; return how many."""
    missing = [cell for cell in batch.cells if finished(study, cell) is None]
    if not missing:
        return 0
    compositions = [compose(study, material, written, cell) for cell in missing]
    spec = _specification(study, material, embeddings, batch, compositions)
    predictions = study.clients.classifier.train(
        spec, on_progress=lambda progress: on_progress(progress.done, progress.total)
    )
    scores = study.clients.evaluator.score_predictions(
        ArtifactRef.stored(material.test, material.test_count), predictions, ()
    )
    for cell, composition, prediction, measured in zip(
        missing, compositions, predictions, scores, strict=True
    ):
        _publish(study, cell, material.train, composition, prediction, measured)
    return len(missing)


def compose(
    study: Study, material: Material, written: Mapping[CorpusKey, Written], cell: Cell
) -> Composition:
    """Return a cell's plan.

    The random stream does not know the arm's settings: the rungs of a ruler are
    the same twin with fewer copies.
    """
    condition = CONDITIONS.get(cell.arm.condition)
    rng = stream(
        study.design.seed, "compose", cell.arm.condition, cell.arm.generator, cell.regime, cell.replicate
    )
    scene = _scene(study, material, written, cell)
    return trained_as(cell.arm.settings, condition.compose(scene, rng, cell.arm.settings))


def _scene(study: Study, material: Material, written: Mapping[CorpusKey, Written], cell: Cell) -> Scene:
    train = Segment(material.train, study.corpus(material.train))
    drawn = replicate(study, train.corpus, cell.replicate)
    synthetic = None
    if cell.arm.generator:
        sha256 = _corpus_of(study, written, cell).corpus
        synthetic = Segment(sha256, study.corpus(sha256))
    return Scene(
        real=train,
        real_rows=drawn.regime(cell.regime),
        new_rows=drawn.new(cell.regime),
        synthetic=synthetic,
        count=_wanted(study, cell),
        keep=lambda corpus: Segment(study.store.put_corpus(corpus).sha256, corpus),
    )


def _wanted(study: Study, cell: Cell) -> int:
    return int(cell.arm.settings.get("documents", study.design.synthetic_documents))


def _corpus_of(study: Study, written: Mapping[CorpusKey, Written], cell: Cell) -> Written:
    generator = study.design.generator(cell.arm.generator)
    regime = cell.regime if generator.scope == "regime" else 0
    found = written[CorpusKey(generator.name, cell.replicate, regime)]
    if found.document_count < _wanted(study, cell):
        raise PreconditionError(
            f"generator {generator.name!r} has only {found.document_count} documents that passed screening of the "
            f"{_wanted(study, cell)} wanted ({found.requested} candidates asked for, rejected: "
            f"{found.rejected or 'none'}, failed: {found.failed or 'none'}); lower synthetic_documents or look "
            "at what was rejected"
        )
    return found


def _specification(
    study: Study,
    material: Material,
    embeddings: Mapping[str, ArtifactRef],
    batch: Batch,
    compositions: list[Composition],
) -> TrainingSpec:
    design = study.design
    used = tuple(dict.fromkeys(sha for c in compositions for sha in c.plan.segments))
    known = {sha: embeddings[sha] for sha in (*used, material.test) if sha in embeddings}
    return TrainingSpec(
        task=material.task,
        family=design.family_behind(batch.family),
        parameters=design.parameters_of(batch.family),
        segments=tuple(ArtifactRef.stored(sha) for sha in used),
        plans=tuple(c.plan for c in compositions),
        test=ArtifactRef.stored(material.test, material.test_count),
        embeddings=known,
        encoder=design.encoder,
        folds=design.folds,
        seed=study.seed("train", batch.replicate),
    )


def _publish(
    study: Study,
    cell: Cell,
    train: str,
    composition: Composition,
    predictions: ArtifactRef,
    measured: tuple[Measurement, ...],
) -> None:
    parts = [part for stage in composition.plan.stages for part in stage.parts]
    weight = sum(stage.document_count for stage in composition.plan.stages)
    total = weight / composition.estimates.get(WEIGHT_FACTOR, 1.0)
    rows = {real: sum(len(p.rows) for p in parts if (p.segment == train) is real) for real in (True, False)}
    trained = Trained(
        cell=cell.id,
        predictions=predictions.sha256,
        plan=composition.plan.digest,
        real_documents=rows[True],
        copied_documents=round(total) - rows[True] - rows[False],
        synthetic_documents=rows[False],
        estimates={**composition.estimates, **_chosen(study, composition, predictions)},
        measurements=[asdict(m) for m in measured],
    )
    study.store.publish(_key(cell), study.store.put_json(asdict(trained)))


def _chosen(study: Study, composition: Composition, predictions: ArtifactRef) -> dict[str, float]:
    """Return what training itself decided of a plan that leaves something to it: a strength, hidden labels."""
    plan = composition.plan
    if not plan.strengths and not any(part.predicted for stage in plan.stages for part in stage.parts):
        return {}
    _, metadata = study.store.get_arrays(predictions)
    found = json.loads(metadata["estimates"])
    return {name: value for name, value in found.items() if name.startswith(CHOSEN_IN_TRAINING)}


def _key(cell: Cell) -> dict[str, str]:
    return {"kind": "cell", "cell": cell.id}
