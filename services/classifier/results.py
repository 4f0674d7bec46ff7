"""What one plan leaves in the store: its result, and its model where it was asked for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from services.classifier.families import Family, OnDevices, Pretrained, is_convex
from services.classifier.objectives import OBJECTIVES
from services.classifier.parameters import Parameters, parameter_values
from services.classifier.specification import TrainingSpec
from services.classifier.stage_objective import objective_name
from services.classifier.thresholds import Threshold
from services.domain.artifact import ArtifactRef
from services.domain.plan import LOG_LOSS, TrainingPlan
from services.storage.store import Store

# Raised when folds, thresholds or the layout of a result change.
RESULT_VERSION = 2
# Raised when linear heads under an objective other than log-loss come out otherwise.
SOLVER_VERSION = 2

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PlanResult:
    """Scores of one plan.

    Args:
        test_scores: Shape (test documents, labels), in [0, 1].
        oof_scores: Shape (scored documents, labels), in the plan's order; for families with an
            inner fifth, of the documents in it only.
        oof_truth: As `oof_scores`.
        threshold: From the out-of-fold scores.
        estimates: What is worth knowing of the fits.
        notes: What they were computed with.
    """

    test_scores: Floats
    oof_scores: Floats
    oof_truth: npt.NDArray[np.bool_]
    threshold: Threshold
    estimates: Mapping[str, float]
    notes: Mapping[str, str] = field(default_factory=dict)


def result_key(
    spec: TrainingSpec,
    plan: TrainingPlan,
    family: Family,
    parameters: Parameters,
    embeddings: Mapping[str, ArtifactRef],
) -> dict[str, Any]:
    """Return what one plan's result depends on: itself and the corpora it uses, not its run."""
    used = (*plan.segments, spec.test.sha256)
    key = {
        "computed": "plan_result",
        "version": RESULT_VERSION,
        "family": [spec.family, family.version],
        "parameters": parameter_values(parameters),
        "task": [spec.task.type.value, list(spec.task.labels)],
        "plan": plan.digest,
        "test": spec.test.sha256,
        "embeddings": {sha: embeddings[sha].sha256 for sha in used if sha in embeddings},
        "folds": spec.folds,
        "seed": spec.seed,
    }
    revision = family.revision(parameters) if isinstance(family, Pretrained) else ""
    device = family.computed_on() if isinstance(family, OnDevices) else ""
    parts = {"revision": revision, "device": device}
    return key | objective_versions(plan, family) | {name: part for name, part in parts.items() if part}


def objective_versions(plan: TrainingPlan, family: Family) -> dict[str, Any]:
    """Return what a plan's objectives add to the key of its result; plain log-loss adds nothing."""
    names = sorted({objective_name(stage.objective) for stage in plan.stages} - {LOG_LOSS})
    if not names:
        return {}
    versions = {"objectives": [[name, OBJECTIVES.get(name).version] for name in names]}
    return versions | ({"solver": SOLVER_VERSION} if is_convex(family) else {})


def put_result(store: Store, key: Mapping[str, Any], result: PlanResult) -> ArtifactRef:
    """Store a result and publish it under its key."""
    arrays: dict[str, np.ndarray] = {
        "test_scores": result.test_scores,
        "oof_scores": result.oof_scores,
        "oof_truth": result.oof_truth.astype(np.uint8),
    }
    threshold = result.threshold.value
    metadata = {
        "threshold": "" if threshold is None else repr(threshold),
        "threshold_undefined": result.threshold.undefined_reason,
        "plan": str(key["plan"]),
        "test": str(key["test"]),
        "family": str(key["family"][0]),
        "estimates": json.dumps(dict(result.estimates), sort_keys=True),
    }
    if result.notes:
        metadata["notes"] = json.dumps(dict(result.notes), sort_keys=True)
    return store.publish(key, store.put_arrays(arrays, metadata))
