"""Versions of the steps a cell's numbers depend on, besides those of its modules.

Raise one when the results of its step change: the cells then have another
identity, and nothing stored under the old one is taken for the new.
"""

from collections.abc import Mapping
from typing import Any

from services.classifier.objectives import OBJECTIVES
from services.classifier.results import RESULT_VERSION, SOLVER_VERSION
from services.classifier.stage_objective import objective_name
from services.evaluator.scoring import VERSION as SCORING_VERSION

LOADING = 1
WRITING = 3
COMPOSING = 1
SEARCHING = 1

STEPS = {
    "loading": LOADING,
    "writing": WRITING,
    "composing": COMPOSING,
    "training": RESULT_VERSION,
    "scoring": SCORING_VERSION,
}


def objective_versions(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an arm's `objective` adds to its cells' identity; plain log-loss adds nothing."""
    if "objective" not in settings:
        return {}
    name = objective_name(str(settings["objective"]))
    # An objective that only a classifier service elsewhere knows has its version in its results alone.
    version = OBJECTIVES.get(name).version if name in OBJECTIVES.names() else 0
    return {"objective": [version, SOLVER_VERSION]}
