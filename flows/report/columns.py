"""The columns each table of a report must have, and the check that it has them."""

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from services.domain.errors import InvalidInputError

_INTERVALS = ("effect", "low95", "high95", "low90", "high90")
_TEST = ("standard_error", "degrees_of_freedom", "p_value", "adjusted_p_value", "declared", "verdict", "mde")
_COUNTS = ("replicate_count", "test_family_count", "positive_count", "conditional", "note")
_CORPUS = ("generator", "replicate", "regime_scope")

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "cells": ("cell_id", "regime", "arm", "generator", "classifier_family", "replicate"),
        "measurements": (
            *("cell_id", "regime", "arm", "condition", "role", "generator", "strategy", "genre"),
            *("classifier_family", "replicate", "real_documents", "synthetic_documents"),
            *("metric", "threshold_rule", "value", "undefined_reason", "sample_count", "estimates"),
        ),
        "contrasts": (
            *("name", "kind", "regime", "arm", "control", "generator", "classifier_family", "score"),
            *_INTERVALS,
            *_TEST,
            *_COUNTS,
            *("treatment_mean", "control_mean", "reading"),
        ),
        "worths": (
            *("name", "regime", "generator", "classifier_family", "worth", "low", "high"),
            *("less_than_none", "more_than_cap", "cap", "note"),
        ),
        "fidelity": (
            *_CORPUS,
            *("metric", "value", "low", "high", "floor", "ceiling", "normalised"),
            *("sample_count", "undefined_reason"),
        ),
        "retrieval": (
            *("reading", "arm", "generator", "metric", "value", "low", "high"),
            *("query_count", "replicate_count", "undefined_reason"),
        ),
        "rejections": (*_CORPUS, "requested", "accepted", "rejected", "failed"),
        "rejection_reasons": (*_CORPUS, "outcome", "reason", "count"),
        "rejection_examples": (
            *("generator", "outcome", "reason", "text", "nearest_id", "nearest_text", "similarity"),
        ),
        "leakage": (
            *("left", "right", "kind", "left_count", "right_count", "pair_count", "left_found"),
            *("right_found", "threshold", "pairs", "undefined_reason"),
        ),
        "planted_truth": (
            *("generator", "regime", "classifier_family", "theta", "standard_error", "truth_class"),
        ),
    }
)
"""Required columns of each table. A table may be empty, and may hold further columns."""


def empty_table(name: str) -> pd.DataFrame:
    """A table without rows that has the columns asked of `name`."""
    return pd.DataFrame({column: pd.Series(dtype=object) for column in COLUMNS[name]})


def require_columns(name: str, table: pd.DataFrame) -> None:
    """Raise InvalidInputError naming the columns that `table` lacks."""
    missing = [column for column in COLUMNS[name] if column not in table.columns]
    if missing:
        raise InvalidInputError(
            f"Table '{name}' of the report lacks the columns {', '.join(missing)}; "
            f"it has {', '.join(map(str, table.columns)) or 'none'}. "
            f"An empty table must still have its columns: flows.report.columns.empty_table('{name}').",
            field=name,
        )
