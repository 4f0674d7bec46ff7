"""The planted truth of simulated generators, where it was computed."""

import json
from importlib import resources

import pandas as pd

from flows.design import Design
from flows.report.columns import empty_table

NOTE = "truth not computed for this design"


def planted_truth(design: Design) -> tuple[pd.DataFrame, str]:
    """Return theta per generator, regime and family, or a note that says it is lacking.

    The committed files are keyed by the digest of what theta depends on.
    """
    file = resources.files("flows") / "designs" / "truth" / f"{truth_digest(design)}.json"
    if not file.is_file():
        return empty_table("planted_truth"), NOTE
    return pd.DataFrame(json.loads(file.read_text())["rows"]), ""


def truth_digest(design: Design) -> str:
    """Return the key of a design's truth: its seed and replicates do not matter."""
    from services.domain.digest import spec_digest

    values = design.model_dump(mode="json", include={"dataset", "synthetic_documents", "folds", "margin"})
    return spec_digest(values)[:16]
