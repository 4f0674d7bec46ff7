"""Dataclasses and messages that stand for each other have the same fields, and come back whole."""

from dataclasses import asdict, fields
from typing import Any

import pytest

from services.domain.measurement import Interval
from services.evaluator import decomposition, mix_curve
from services.evaluator.correlation import planning
from services.evaluator.plain_values import built, plain
from synthtrial.evaluator.v1 import correlation_pb2, decomposition_pb2, mix_curve_pb2

PAIRS = [
    (planning.CorrelatedMetric, correlation_pb2.CorrelatedMetric),
    (planning.Fidelity, correlation_pb2.Fidelity),
    (planning.RegimeGain, correlation_pb2.RegimeGain),
    (planning.CorpusPoint, correlation_pb2.CorpusPoint),
    (planning.CorrelationSpec, correlation_pb2.CorrelateGainsRequest),
    (planning.GainCorrelation, correlation_pb2.GainCorrelation),
    (planning.Reconstruction, correlation_pb2.Reconstruction),
    (planning.CorrelationDifference, correlation_pb2.CorrelationDifference),
    (planning.Inversion, correlation_pb2.Inversion),
    (planning.CorrelationAnalysis, correlation_pb2.CorrelateGainsResponse),
    (mix_curve.MixScores, mix_curve_pb2.MixScores),
    (mix_curve.MixPoint, mix_curve_pb2.MixPoint),
    (mix_curve.MixCurve, mix_curve_pb2.AnalyseMixResponse),
    (decomposition.CellScores, decomposition_pb2.CellScores),
    (decomposition.GainTerm, decomposition_pb2.GainTerm),
    (decomposition.GainDecomposition, decomposition_pb2.DecomposeGainResponse),
]


@pytest.mark.parametrize(("kind", "message"), PAIRS, ids=lambda one: one.__name__)
def test_a_dataclass_and_its_message_have_the_same_fields(kind: Any, message: Any) -> None:
    assert [field.name for field in fields(kind)] == [field.name for field in message.DESCRIPTOR.fields]


@pytest.mark.parametrize(("kind", "message"), PAIRS, ids=lambda one: one.__name__)
def test_what_may_be_none_may_be_unset(kind: Any, message: Any) -> None:
    optional = {field.name for field in fields(kind) if "None" in str(field.type)}
    scalar = {f.name for f in message.DESCRIPTOR.fields if f.has_presence and f.message_type is None}
    nested = {f.name for f in message.DESCRIPTOR.fields if f.has_presence and f.message_type is not None}
    assert scalar <= optional <= scalar | nested


def test_zero_and_undefined_stay_apart_in_both_directions() -> None:
    term = decomposition.GainTerm(
        "gain", 0.0, Interval(-0.1, 0.1, 0.95), None, 0.0, None, None, "the replicates do not differ"
    )
    whole = decomposition.GainDecomposition((term, term), 5, None, "no gain")
    message = decomposition_pb2.DecomposeGainResponse(**asdict(whole))
    again = decomposition_pb2.DecomposeGainResponse.FromString(message.SerializeToString())
    assert built(decomposition.GainDecomposition, plain(again)) == whole


def test_nested_rows_come_back_as_tuples() -> None:
    point = planning.CorpusPoint(
        "g",
        "s",
        (planning.Fidelity(None), planning.Fidelity(0.0)),
        (planning.RegimeGain((0.1, 0.2)), planning.RegimeGain(), planning.RegimeGain((), 0.0, 0.0)),
    )
    assert built(planning.CorpusPoint, plain(correlation_pb2.CorpusPoint(**asdict(point)))) == point
