"""The correlation of fidelity with gain within strategies, and when it may be shown.

Strategies differ in fidelity and in gain for reasons of their own; pooling them makes a
correlation out of that difference. So each strategy's mean is taken off first.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from services.domain.measurement import Interval
from services.evaluator.classification import Floats
from services.evaluator.correlation.planning import GainCorrelation
from services.evaluator.correlation.samples import Sample
from services.evaluator.estimation import ROUNDING

MINIMUM_CORPORA = 8
MINIMUM_RELIABILITY = 0.5
LEVEL = 0.95

Codes = NDArray[np.int64]


def correlate(sample: Sample, metric: str, regime: str) -> GainCorrelation:
    """Correlate fidelity with gain within strategies.

    Refused, with the reason: fewer than eight corpora, no spread, all of them on one line,
    a gain whose reliability is unknown or below .5, or a sign that changes when the corpora
    of one generator are left out.
    """
    draft = _draft(sample, metric, regime)
    if draft.corpus_count < MINIMUM_CORPORA:
        few = f"{draft.corpus_count} corpora within strategies, a correlation takes {MINIMUM_CORPORA}"
        return replace(draft, refused=few)
    r = partial_r(sample.fidelity, sample.gain, sample.strategies)
    if r is None:
        return replace(draft, refused="fidelity or gain does not vary within strategies")
    left_out = leave_one_out(sample)
    draft = replace(
        draft,
        leave_one_out_low=min(left_out.values()),
        leave_one_out_high=max(left_out.values()),
        reliability=gain_reliability(sample),
    )
    reasons = (_straight(r), _unreliable(draft.reliability), _flipping(r, left_out))
    if any(reasons):
        return replace(draft, refused="; ".join(filter(None, reasons)))
    interval = fisher_interval(r, draft.corpus_count, draft.strategy_count)
    return replace(draft, pearson=r, interval95=interval, spearman=spearman(sample))


def partial_r(first: Floats, second: Floats, strategies: Codes) -> float | None:
    """Return Pearson's r of deviations from the strategies' means; None without spread."""
    x, y = centred(first, strategies), centred(second, strategies)
    if _constant(x, first) or _constant(y, second):
        return None
    return float(np.clip((x @ y) / np.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def spearman(sample: Sample) -> float | None:
    """Return r of the ranks within each strategy, ties sharing their mean rank."""
    return partial_r(
        _ranks(sample.fidelity, sample.strategies), _ranks(sample.gain, sample.strategies), sample.strategies
    )


def fisher_interval(r: float, count: int, strategies: int) -> Interval:
    """Return tanh(atanh r +- 1.96 / sqrt(count - strategies - 2)), for |r| < 1.

    Each strategy's mean costs a degree of freedom; one strategy gives Fisher's count - 3.

    Source: Fisher (1924), Metron 3:329-332, on partial correlations.
    """
    half = special.ndtri((1.0 + LEVEL) / 2.0) / np.sqrt(count - strategies - 2)
    low, high = np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)
    return Interval(float(low), float(high), LEVEL)


def gain_reliability(sample: Sample) -> float | None:
    """Return 1 - mean(SE^2) / var(gain), with the variance pooled within strategies.

    SE^2 is the variance of the replicates over their number, or what was given. A shift that
    all generators share in a replicate counts as noise here although r does not see it, so
    this errs low. None where a standard error is unknown. Not clipped: noise can exceed the
    spread.

    Source: classical test theory, Lord and Novick (1968), Statistical Theories of Mental Test Scores.
    """
    if not np.isfinite(sample.squared_errors).all():
        return None
    deviations = centred(sample.gain, sample.strategies)
    variance = deviations @ deviations / (len(deviations) - sample.strategy_count)
    return float(1.0 - sample.squared_errors.mean() / variance)


def leave_one_out(sample: Sample) -> dict[str, float]:
    """Return r without the corpora of each generator; 0 where nothing varies any more."""
    found = {}
    for generator in np.unique(sample.generators).tolist():
        kept = sample.generators != generator
        r = partial_r(sample.fidelity[kept], sample.gain[kept], sample.strategies[kept])
        found[generator] = 0.0 if r is None else r
    return found


def centred(values: Floats, strategies: Codes) -> Floats:
    """Return deviations from each strategy's mean; shape (n,) as both arguments."""
    if not len(values):
        return values
    _, codes, sizes = np.unique(strategies, return_inverse=True, return_counts=True)
    return np.asarray(values - (np.bincount(codes, weights=values) / sizes)[codes], dtype=np.float64)


def _constant(deviations: Floats, values: Floats) -> bool:
    if not len(values):
        return True
    return bool(np.abs(deviations).max() <= ROUNDING * max(float(np.abs(values).max()), 1e-300))


def _ranks(values: Floats, strategies: Codes) -> Floats:
    """Return ranks within each strategy; ties share their mean rank."""
    same = strategies[:, None] == strategies[None, :]
    below = (same & (values[None, :] < values[:, None])).sum(axis=1)
    level = (same & (values[None, :] == values[:, None])).sum(axis=1)
    return np.asarray(below + (level + 1) / 2.0, dtype=np.float64)


def _straight(r: float) -> str:
    return "all corpora lie on one line, which leaves no interval" if 1.0 - abs(r) <= ROUNDING else ""


def _unreliable(reliability: float | None) -> str:
    if reliability is None:
        return "the reliability of the gain is unknown: give two replicates or a standard error for each"
    if reliability < MINIMUM_RELIABILITY:
        return f"the gain's reliability is {reliability:.2f}, a correlation takes {MINIMUM_RELIABILITY}"
    return ""


def _flipping(r: float, left_out: dict[str, float]) -> str:
    flips = [generator for generator, without in left_out.items() if without * r <= 0.0]
    return f"the sign does not survive leaving out {', '.join(flips)}" if flips else ""


def _draft(sample: Sample, metric: str, regime: str) -> GainCorrelation:
    """Return what is known before anything may be claimed."""
    return GainCorrelation(
        metric=metric,
        regime=regime,
        pearson=None,
        interval95=None,
        spearman=None,
        leave_one_out_low=None,
        leave_one_out_high=None,
        reliability=None,
        corpus_count=len(sample.gain),
        generator_count=len(np.unique(sample.generators)),
        strategy_count=sample.strategy_count,
        refused="",
        note=_note(sample),
    )


def _note(sample: Sample) -> str:
    notes = []
    count, generators = len(sample.gain), len(np.unique(sample.generators))
    if generators < count:
        notes.append(
            f"{count} corpora of {generators} generators are clustered; the interval takes them as independent"
        )
    if sample.left_out:
        notes.append(
            f"{sample.left_out} corpora lack a value or are alone in their strategy and are left out"
        )
    return "; ".join(notes)
