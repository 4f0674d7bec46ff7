"""What the page says of copies, which should bring nothing."""

from dataclasses import replace

import pandas as pd
import pytest

from flows.experiments import EXPERIMENTS
from flows.experiments.a_e2_decomposition import CONTRASTS, ORDERS, PARTS, TABLE
from flows.report.inputs import ReportInput
from flows.report.page import Note


@pytest.mark.parametrize(("half_width", "count"), [(0.01, 1), (0.03, 0)])
def test_copies_are_tested_for_equivalence_with_plain_training(
    example: ReportInput, half_width: float, count: int
) -> None:
    term = {"effect": -0.004, "low95": -0.04, "high95": 0.04, "low90": -half_width, "high90": half_width}
    place = {"generator": "oracle", "regime": 165, "classifier_family": "tfidf_linear", "replicate_count": 8}
    further = {
        "share": None,
        "share_low95": None,
        "share_high95": None,
        "note": "",
        "shares_refused": "small",
    }
    table = pd.DataFrame(
        [{**place, **term, **further, "term": name} for name in {**PARTS, **CONTRASTS, **ORDERS}]
    )
    section = EXPERIMENTS.get("a_e2_decomposition").section(replace(example, findings={TABLE: table}))
    assert section is not None
    notes = [block.text for block in section.blocks if isinstance(block, Note)]
    (said,) = [text for text in notes if text.startswith("Negative control")]
    assert f"in {count} of 1 places (90 % interval inside ±0.02)" in said
