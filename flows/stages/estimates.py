"""What was counted or chosen while cells were composed and trained, as a table."""

from collections.abc import Mapping, Sequence

import pandas as pd

from flows.cells import Cell
from flows.stages.training import Trained

TABLE = "estimates"


def estimates_table(cells: Sequence[Cell], trained: Mapping[str, Trained]) -> dict[str, pd.DataFrame]:
    """Return one row per cell and estimate under the table's name; nothing where no cell has any."""
    rows = [
        {
            "cell_id": cell.id,
            "regime": cell.regime,
            "arm": cell.arm.name,
            "condition": cell.arm.condition,
            "generator": cell.arm.generator,
            "classifier_family": cell.family,
            "replicate": cell.replicate,
            "estimate": name,
            "value": value,
        }
        for cell in cells
        for name, value in sorted(trained[cell.id].estimates.items())
    ]
    return {TABLE: pd.DataFrame(rows)} if rows else {}
