"""From named corpora to paired numbers, after everything that must be refused."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.domain.errors import InvalidInputError
from services.evaluator.classification import BoolMatrix, Floats
from services.evaluator.correlation.planning import CorpusPoint, CorrelationSpec, RegimeGain
from services.evaluator.finite import require_finite


@dataclass(frozen=True, slots=True)
class Sample:
    """n corpora with their fidelity and their gain in one regime.

    Attributes:
        fidelity: Shape (n,).
        gain: Shape (n,).
        squared_errors: Shape (n,), of the gains; nan where none can be known.
        strategies: Shape (n,), codes.
        generators: Shape (n,), names.
        left_out: Corpora that lack a value, or are alone in their strategy.
    """

    fidelity: Floats
    gain: Floats
    squared_errors: Floats
    strategies: NDArray[np.int64]
    generators: NDArray[np.str_]
    left_out: int

    @property
    def strategy_count(self) -> int:
        """Strategies that are left."""
        return len(np.unique(self.strategies))


def require_valid(spec: CorrelationSpec) -> None:
    """Refuse what cannot be correlated, whatever the numbers say.

    Raises:
        InvalidInputError: Names that are empty or come twice, rows that do not match the
            metrics or regimes, numbers that are not finite, gains given in two ways, or a
            comparison of regimes that are not there.
    """
    _require_names([metric.name for metric in spec.metrics], "metrics", "name")
    _require_names(list(spec.regimes), "regimes", "")
    for i, metric in enumerate(spec.metrics):
        if metric.expected_sign not in (-1, 0, 1):
            raise InvalidInputError(
                f"an expected sign is 1, -1 or 0 for none, not {metric.expected_sign}",
                field=f"metrics[{i}].expected_sign",
            )
    for i, corpus in enumerate(spec.corpora):
        _require_row(corpus, spec, f"corpora[{i}]")
    _require_one_point_each(spec.corpora)
    _require_comparable(spec)


def samples(spec: CorrelationSpec, metric: int, regimes: Sequence[int]) -> list[Sample]:
    """Return one sample per regime, all over the corpora that have a value everywhere.

    Corpora alone in their strategy say nothing about what happens within one and are left out.
    """
    fidelity = np.array([_known(corpus.fidelities[metric].value) for corpus in spec.corpora])
    gains = np.array([[_gain(corpus.gains[j]) for corpus in spec.corpora] for j in regimes])
    names = np.array([corpus.strategy for corpus in spec.corpora], dtype=np.str_)
    known = np.isfinite(fidelity) & np.isfinite(gains).all(axis=0)
    kept = known & _in_company(names, known)
    codes = np.unique(names[kept], return_inverse=True)[1].astype(np.int64)
    generators = np.array([corpus.generator for corpus in spec.corpora], dtype=np.str_)[kept]
    errors = np.array([[_squared_error(corpus.gains[j]) for corpus in spec.corpora] for j in regimes])
    left_out = len(kept) - int(kept.sum())
    return [
        Sample(fidelity[kept], gain[kept], error[kept], codes, generators, left_out)
        for gain, error in zip(gains, errors, strict=True)
    ]


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _gain(regime: RegimeGain) -> float:
    return float(np.mean(regime.replicates)) if regime.replicates else _known(regime.gain)


def _squared_error(regime: RegimeGain) -> float:
    if len(regime.replicates) > 1:
        return float(np.var(regime.replicates, ddof=1)) / len(regime.replicates)
    return _known(regime.standard_error) ** 2


def _in_company(names: NDArray[np.str_], known: BoolMatrix) -> BoolMatrix:
    sizes = Counter(names[known].tolist())
    return np.array([sizes[name] > 1 for name in names.tolist()], dtype=np.bool_)


def _require_names(names: Sequence[str], field: str, part: str) -> None:
    if not names:
        raise InvalidInputError(f"there are no {field}; name one or more", field=field)
    for i, name in enumerate(names):
        if not name or name in names[:i]:
            where = f"{field}[{i}].{part}" if part else f"{field}[{i}]"
            raise InvalidInputError(
                f"each of the {field} needs a name of its own; {name!r} is none", field=where
            )


def _require_row(corpus: CorpusPoint, spec: CorrelationSpec, where: str) -> None:
    for found, wanted, part in (
        (len(corpus.fidelities), len(spec.metrics), "fidelities"),
        (len(corpus.gains), len(spec.regimes), "gains"),
    ):
        if found != wanted:
            raise InvalidInputError(
                f"{where} has {found} {part} where {wanted} are asked for; give one each, in order, "
                "and an empty one for what is not known",
                field=f"{where}.{part}",
            )
    for k, fidelity in enumerate(corpus.fidelities):
        require_finite([fidelity.value], f"{where}.fidelities[{k}].value")
    for j, gain in enumerate(corpus.gains):
        _require_gain(gain, f"{where}.gains[{j}]")


def _require_gain(gain: RegimeGain, where: str) -> None:
    require_finite(gain.replicates, f"{where}.replicates")
    require_finite([gain.gain], f"{where}.gain")
    require_finite([gain.standard_error], f"{where}.standard_error")
    if gain.replicates and not (gain.gain is None and gain.standard_error is None):
        raise InvalidInputError(
            f"{where} has both replicates and their summary; give one of them", field=f"{where}.replicates"
        )
    if gain.standard_error is not None and (gain.standard_error < 0.0 or gain.gain is None):
        raise InvalidInputError(
            f"{where} has a standard error of {gain.standard_error} and the gain {gain.gain}; "
            "it is 0 or more and belongs to a gain",
            field=f"{where}.standard_error",
        )


def _require_one_point_each(corpora: Sequence[CorpusPoint]) -> None:
    seen: set[tuple[str, str]] = set()
    for i, corpus in enumerate(corpora):
        if (corpus.generator, corpus.strategy) in seen:
            raise InvalidInputError(
                f"generator {corpus.generator!r} has a second corpus with strategy {corpus.strategy!r}; "
                "give one point each, averaged over replicates",
                field=f"corpora[{i}].generator",
            )
        seen.add((corpus.generator, corpus.strategy))


def _require_comparable(spec: CorrelationSpec) -> None:
    pair = {"first_regime": spec.first_regime, "second_regime": spec.second_regime}
    if not any(pair.values()):
        return
    for field, regime in pair.items():
        if regime not in spec.regimes:
            raise InvalidInputError(
                f"{field} is {regime!r}; the regimes are {', '.join(spec.regimes)}", field=field
            )
    if spec.first_regime == spec.second_regime:
        raise InvalidInputError(
            f"{spec.first_regime!r} is compared with itself; name two regimes", field="second_regime"
        )
