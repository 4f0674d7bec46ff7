"""The planted truth of simulated generators, where it was computed."""

import json
from importlib import resources
from typing import Any

import pandas as pd

from flows.cells import Grid
from flows.design import Design
from flows.experiments import generator_places, row_twin, synthesis
from flows.report.columns import empty_table

FILES = ("truth.json", "inversion.json")
NOTE = (
    "truth not computed for this design: `make truth` computes it for the designs `trial` and `inversion` with the "
    "profile `embedded`, and other designs share it where dataset, regime, synthetic documents, generator and classifier "
    "family are the same"
)


def planted_truth(design: Design, grid: Grid) -> tuple[pd.DataFrame, str]:
    """Return theta per generator, regime and family, or a note that says it is lacking.

    A row holds for one place: the digest of all that its arm and twin depend on
    besides seed and replicate. Whatever else has the same name is another place.
    """
    known = {row["place"]: row for row in recorded()}
    found = [
        known[place]
        for regime, generator, family in generator_places(design)
        if (place := truth_place(grid, regime, generator, family)) in known
        and known[place]["encoder"] in ("", design.encoder)
    ]
    return (pd.DataFrame(found), "") if found else (empty_table("planted_truth"), NOTE)


def truth_place(grid: Grid, regime: int, generator: str, family: str) -> str:
    """Return the key of an arm's expected gain over its row twin."""
    return grid.place(synthesis(regime, generator, family), row_twin(regime, generator, family))


def recorded() -> list[dict[str, Any]]:
    """Return the rows of the committed files; `make truth` writes them."""
    files = [resources.files("flows") / "designs" / name for name in FILES]
    return [row for file in files if file.is_file() for row in json.loads(file.read_text())["rows"]]
