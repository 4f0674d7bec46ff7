"""Worker jobs on numbers that come with the request: nothing is read, nothing is filed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from services.evaluator.correlation.analysis import analyse_correlations
from services.evaluator.correlation.planning import CorrelationSpec
from services.evaluator.decomposition import CellScores, decompose_gain
from services.evaluator.mix_curve import MixScores, analyse_mix
from services.evaluator.plain_values import built

Report = Callable[[dict[str, Any]], None]


def correlate_gains(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Worker job: a `CorrelationSpec` in, a `CorrelationAnalysis` out, both as plain values."""
    return asdict(analyse_correlations(built(CorrelationSpec, payload)))


def analyse_mix_curve(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Worker job: `shares` of `MixScores` in, a `MixCurve` out, both as plain values."""
    return asdict(analyse_mix([built(MixScores, one) for one in payload["shares"]]))


def decompose(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    """Worker job: `cells` of `CellScores` in, a `GainDecomposition` out, both as plain values."""
    return asdict(decompose_gain([built(CellScores, one) for one in payload["cells"]]))
