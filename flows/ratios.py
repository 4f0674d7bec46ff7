"""Regimes as shares of the pool: "1:20" is one document in twenty."""

import re
from collections.abc import Mapping
from typing import Any

RATIO = re.compile(r"1:([1-9][0-9]*)")


def counted(values: Any, default_train: int) -> Any:
    """Return a design's raw values with regimes such as "1:20" as numbers of documents, rounded down.

    Args:
        values: As they stand in the file; whatever is not a table is left to other checks.
        default_train: The train pool where the design names none.
    """
    if not isinstance(values, Mapping) or not isinstance(values.get("regimes"), (list, tuple)):
        return values
    dataset = values.get("dataset") or {}
    train = (
        dataset.get("train", default_train)
        if isinstance(dataset, Mapping)
        else getattr(dataset, "train", None)
    )
    return {**values, "regimes": [_count(regime, train) for regime in values["regimes"]]}


def _count(regime: Any, train: Any) -> Any:
    found = RATIO.fullmatch(regime) if isinstance(regime, str) else None
    return train // int(found[1]) if found and isinstance(train, int) else regime
