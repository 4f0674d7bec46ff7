"""Correlations, mix curves and decompositions over the wire: the cores' own answers, whole."""

from collections.abc import Callable
from dataclasses import replace

import grpc
import numpy as np
import pytest

from services.domain.errors import InvalidInputError
from services.domain.seeds import stream
from services.evaluator.client import EvaluatorClient
from services.evaluator.correlation.analysis import analyse_correlations
from services.evaluator.correlation.planning import (
    CorpusPoint,
    CorrelatedMetric,
    CorrelationSpec,
    Fidelity,
    RegimeGain,
)
from services.evaluator.decomposition import CellScores, decompose_gain
from services.evaluator.gain_terms import ARMS, BUDGETS, THRESHOLD_RULES
from services.evaluator.mix_curve import MixScores, analyse_mix
from services.evaluator.service import register
from services.rpc.channel import channel
from synthtrial.evaluator.v1 import decomposition_pb2, evaluator_pb2_grpc


@pytest.fixture
def address(service_address: Callable[..., str]) -> str:
    return service_address(register)


@pytest.fixture
def client(address: str) -> EvaluatorClient:
    return EvaluatorClient(address)


def _corpora(count: int) -> CorrelationSpec:
    """Return corpora whose gain rises with fidelity in one regime and falls in the other."""
    rng = stream(5, "wire")
    points = []
    for i in range(count):
        x, first, second = i / 10, *rng.normal(0.0, 0.1, 2)
        noise = rng.normal(0.0, 0.05, 5)
        points.append(
            CorpusPoint(
                f"g{i}",
                "synthesis" if i % 2 else "paraphrase",
                (Fidelity(x), Fidelity(None if i == 3 else float(first))),
                (
                    RegimeGain(tuple((x + first + noise).tolist())),
                    RegimeGain(gain=float(second - x), standard_error=0.02),
                ),
            )
        )
    metrics = (CorrelatedMetric("mmd2", 1), CorrelatedMetric("chamfer", 0))
    return CorrelationSpec(metrics, ("n=40", "n=400"), tuple(points), "n=40", "n=400")


def _shares(rows: int, replicates: int) -> list[MixScores]:
    scores = 0.5 + 0.01 * stream(6, "shares").normal(size=(rows, replicates))
    return [MixScores(j / (rows - 1), tuple(row.tolist())) for j, row in enumerate(scores)]


def _cells() -> list[CellScores]:
    rng = stream(7, "cells")
    return [
        CellScores(arm, budget, rule, tuple((0.2 + 0.1 * i + 0.01 * rng.normal(size=6)).tolist()))
        for i, arm in enumerate(ARMS)
        for budget in BUDGETS[:2]
        for rule in THRESHOLD_RULES
    ]


def test_an_inversion_arrives_with_all_that_was_computed(client: EvaluatorClient) -> None:
    found = client.correlate_gains(_corpora(14))
    assert found == analyse_correlations(_corpora(14))
    assert found.inversions[0].inverted and not found.inversions[1].inverted
    assert [one.corpus_count for one in found.correlations] == [14, 14, 13, 13]


def test_three_generators_are_answered_with_reasons(client: EvaluatorClient) -> None:
    found = client.correlate_gains(_corpora(3))
    assert {one.pearson for one in found.correlations} == {None}
    assert all(one.refused for one in found.correlations)
    assert found.differences[0].refused and found.inversions[0].refused


def test_a_mix_curve_arrives_with_its_keep_set(client: EvaluatorClient) -> None:
    curve = client.analyse_mix(_shares(6, 8))
    assert curve == analyse_mix(_shares(6, 8))
    assert curve.refused == "" and len(curve.kept) > 1


def test_a_mix_curve_without_a_keep_set_arrives_with_the_reason(client: EvaluatorClient) -> None:
    curve = client.analyse_mix(_shares(6, 3))
    assert curve == analyse_mix(_shares(6, 3))
    assert (curve.margin, curve.degrees_of_freedom, curve.height) == (None, None, None)
    assert "3 replicates" in curve.refused


def test_a_decomposition_arrives_with_its_shares(client: EvaluatorClient) -> None:
    found = client.decompose_gain(_cells())
    assert found == decompose_gain(_cells())
    assert found.shares_refused == "" and found.term("documents").share_interval95 is not None
    assert found.term("synthesis_own_budget").effect is None


def _bad(client: EvaluatorClient) -> dict[str, tuple[Callable[[], object], str]]:
    """Return per bad input the call and its field."""
    spec, shares, cells = _corpora(9), _shares(3, 5), _cells()
    nan, inf = (float("nan"),), (0.1, 0.2, float("inf"), 0.1, 0.1)
    broken = replace(spec.corpora[2], fidelities=(Fidelity(np.nan), Fidelity(0.1)))
    return {
        "nan fidelity": (
            lambda: client.correlate_gains(
                replace(spec, corpora=(*spec.corpora[:2], broken, *spec.corpora[3:]))
            ),
            "corpora[2].fidelities[0].value",
        ),
        "no metrics": (lambda: client.correlate_gains(replace(spec, metrics=())), "metrics"),
        "infinite score of a share": (
            lambda: client.analyse_mix([*shares[:2], MixScores(0.9, inf)]),
            "shares[2].scores",
        ),
        "no shares": (lambda: client.analyse_mix([]), "shares"),
        "nan score of a cell": (
            lambda: client.decompose_gain([CellScores("synthesis", "own", "tuned", nan), *cells]),
            "cells[0].scores",
        ),
        "unknown arm": (
            lambda: client.decompose_gain([CellScores("twin", "own", "tuned", (0.1,))]),
            "cells[0].arm",
        ),
    }


def test_every_bad_input_names_its_field(client: EvaluatorClient) -> None:
    for name, (call, field) in _bad(client).items():
        with pytest.raises(InvalidInputError) as caught:
            call()
        assert caught.value.field == field, name


def test_numbers_that_are_none_are_an_invalid_argument(address: str) -> None:
    stub = evaluator_pb2_grpc.EvaluatorServiceStub(channel(address))
    cell = decomposition_pb2.CellScores(
        arm="synthesis", budget="large", threshold_rule="tuned", scores=[float("-inf")]
    )
    with pytest.raises(grpc.RpcError) as caught:
        stub.DecomposeGain(decomposition_pb2.DecomposeGainRequest(cells=[cell]))
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
