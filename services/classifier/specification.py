"""What a training run is asked for, and whether it can be done."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from services.classifier.families import FAMILIES, FOLDS, Family, is_convex
from services.classifier.parameters import Parameters, read_parameters
from services.classifier.pool import Documents
from services.classifier.stage_objective import objective_name, read_objective, unknown_objective
from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.digest import spec_digest
from services.domain.errors import InvalidInputError, NotFoundError, StudyError
from services.domain.plan import TrainingPlan
from services.domain.task import Task

LEAST_LABEL_DOCUMENTS = 2


@dataclass(frozen=True)
class TrainingSpec:
    """Plans to be trained independently of one another over one pool.

    Args:
        task: Decides scores and thresholds.
        family: One of the registered families.
        parameters: The family's; unknown ones are refused.
        segments: The corpora whose rows the plans name.
        plans: One result each.
        test: Scored by every plan; none of its families may be in a plan.
        embeddings: By corpus SHA-256, for families that use them; missing ones are computed.
        encoder: The encoder of the embeddings.
        folds: For out-of-fold scores.
        seed: Decides the folds.
        keep_models: Whether fitted models are kept for predictions.
    """

    task: Task
    family: str
    parameters: Mapping[str, Any]
    segments: tuple[ArtifactRef, ...]
    plans: tuple[TrainingPlan, ...]
    test: ArtifactRef
    embeddings: Mapping[str, ArtifactRef] = field(default_factory=dict)
    encoder: str = ""
    folds: int = 5
    seed: int = 0
    keep_models: bool = False

    @cached_property
    def run_id(self) -> str:
        """Digest of all the above."""
        return spec_digest(
            {
                "task": {"type": self.task.type.value, "labels": list(self.task.labels)},
                "family": self.family,
                "parameters": dict(self.parameters),
                "segments": [segment.sha256 for segment in self.segments],
                "plans": [plan.digest for plan in self.plans],
                "test": self.test.sha256,
                "embeddings": {corpus: ref.sha256 for corpus, ref in self.embeddings.items()},
                "encoder": self.encoder,
                "folds": self.folds,
                "seed": self.seed,
                "keep_models": self.keep_models,
            }
        )


@dataclass(frozen=True)
class InlineTraining:
    """One classifier trained on a small corpus that is sent along, every document once.

    Args:
        train: The real documents.
        test: Of the same task; scored, and of other families.
        family: One of the registered families.
        parameters: The family's.
        encoder: For families that use embeddings.
        folds: For out-of-fold scores, from which the threshold is tuned.
        seed: Decides the folds.
        keep_model: Whether the model is kept for predictions.
    """

    train: Corpus
    test: Corpus
    family: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    encoder: str = ""
    folds: int = 5
    seed: int = 0
    keep_model: bool = True


def check_request(spec: TrainingSpec) -> tuple[Family, Parameters]:
    """Check what needs no documents, and return the family and its parameters.

    Raises:
        InvalidInputError: Unknown family, parameter or objective, no plans, too many
            stages, too few folds.
    """
    try:
        family = FAMILIES.get(spec.family)
    except NotFoundError as error:
        raise InvalidInputError(error.message, field="family") from None
    parameters = read_parameters(family.parameters, spec.parameters, spec.family)
    if not spec.plans:
        raise InvalidInputError("a run needs at least one plan", field="plans")
    if spec.folds < 2:
        raise InvalidInputError(
            f"out-of-fold scores need at least 2 folds, not {spec.folds}", field="fold_count"
        )
    for i, plan in enumerate(spec.plans):
        _check_stages(i, plan, spec.task, family, spec.family)
        _check_strengths(i, plan, parameters)
    return family, parameters


def check_documents(spec: TrainingSpec, documents: Documents) -> None:
    """Check the plans against the documents.

    Raises:
        InvalidInputError: A label with fewer than two documents in all corpora, a row
            beyond its segment or scored twice, a test document or its family in a plan.
    """
    _check_labels(spec.task, documents)
    families, ids = documents.families, [i for c in documents.columns for i in c.ids]
    tested = set(documents.columns[-1].families) | set(documents.columns[-1].ids)
    suspects = np.array([f in tested or i in tested for f, i in zip(families, ids, strict=True)])
    for i, plan in enumerate(spec.plans):
        for j, stage in enumerate(plan.stages):
            rows = documents.support(stage.parts).rows
            leaked = rows[suspects[rows]]
            if len(leaked):
                raise InvalidInputError(
                    f"plan {i} trains on {len(leaked)} documents of the test corpus or of its families, first "
                    f"{ids[leaked[0]]!r} of family {families[leaked[0]]!r}; split by family and leave them out",
                    field=f"plans[{i}].stages[{j}].parts",
                )


def _check_stages(i: int, plan: TrainingPlan, task: Task, family: Family, name: str) -> None:
    if len(plan.stages) > family.stages:
        raise InvalidInputError(
            f"{name} trains {family.stages} stage(s), and plan {i} has {len(plan.stages)}",
            field=f"plans[{i}].stages",
        )
    _check_refits(i, plan, family, name)
    for j, stage in enumerate(plan.stages):
        try:
            _check_objective(stage.objective, task, family, name)
        except StudyError as error:
            raise InvalidInputError(error.message, field=f"plans[{i}].stages[{j}].objective") from None


def _check_refits(i: int, plan: TrainingPlan, family: Family, name: str) -> None:
    """Check that a family can do what takes many refits: tune the weights' strength, predict hidden labels."""
    if plan.strengths and not (family.validation == FOLDS and is_convex(family)):
        raise InvalidInputError(
            f"{name} has no convex loss that is refitted without each fold, so no strength of plan {i} is a C; "
            "leave its strengths out",
            field=f"plans[{i}].strengths",
        )
    hidden = any(part.predicted for stage in plan.stages for part in stage.parts)
    if hidden and family.validation != FOLDS:
        raise InvalidInputError(
            f"{name} is fitted once, and predicting hidden labels takes a fit without each fold; plan {i} needs a "
            "family that is refitted, such as tfidf_linear",
            field=f"plans[{i}].stages[0].parts",
        )


def _check_strengths(i: int, plan: TrainingPlan, parameters: Any) -> None:
    """Check that every strength leaves a C that the family takes."""
    for strength in plan.strengths if hasattr(parameters, "C") else ():
        try:
            replace(parameters, C=parameters.C * strength)
        except StudyError as error:
            raise InvalidInputError(
                f"strength {strength:g} of plan {i}: {error.message}", field=f"plans[{i}].strengths"
            ) from None


def _check_objective(written: str, task: Task, family: Family, name: str) -> None:
    objective = objective_name(written)
    if objective not in family.objectives:
        raise unknown_objective(objective, family.objectives, name)
    read_objective(written, task.type)


def _check_labels(task: Task, documents: Documents) -> None:
    counts = np.sum([columns.truth.sum(axis=0) for columns in documents.columns], axis=0)
    rare = [name for name, count in zip(task.labels, counts, strict=True) if count < LEAST_LABEL_DOCUMENTS]
    if rare:
        raise InvalidInputError(
            f"{len(rare)} labels have fewer than {LEAST_LABEL_DOCUMENTS} documents in all corpora together, for "
            f"example {rare[0]!r}; leave them out of the task or give documents",
            field="task.labels",
        )
