"""Versions of the steps a cell's numbers depend on, besides those of its modules.

Raise one when the results of its step change: the cells then have another
identity, and nothing stored under the old one is taken for the new.
"""

from services.classifier.results import RESULT_VERSION
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
