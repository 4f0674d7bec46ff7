"""What is asked about fidelity and gain, and what is answered."""

from __future__ import annotations

from dataclasses import dataclass

from services.domain.measurement import Interval


@dataclass(frozen=True, slots=True)
class CorrelatedMetric:
    """A fidelity metric, with the sign that the design expects of it.

    Attributes:
        expected_sign: 1 where the design expects a positive correlation in the first of the
            compared regimes and a negative one in the second, -1 for the other way round,
            0 where it named no direction, which doubles the p-value of an inversion.
    """

    name: str
    expected_sign: int = 0


@dataclass(frozen=True, slots=True)
class Fidelity:
    """A corpus' value of one metric; None where the metric is undefined for it."""

    value: float | None


@dataclass(frozen=True, slots=True)
class RegimeGain:
    """What a corpus gained in one regime; all of it empty where it was not run.

    Either the gain of every replicate, or the gain with its standard error.
    """

    replicates: tuple[float, ...] = ()
    gain: float | None = None
    standard_error: float | None = None


@dataclass(frozen=True, slots=True)
class CorpusPoint:
    """One synthetic corpus: what a generator wrote with a strategy.

    Attributes:
        fidelities: In the order of the metrics.
        gains: In the order of the regimes.
    """

    generator: str
    strategy: str
    fidelities: tuple[Fidelity, ...]
    gains: tuple[RegimeGain, ...]


@dataclass(frozen=True, slots=True)
class CorrelationSpec:
    """Corpora whose fidelity is correlated with their gain.

    Attributes:
        first_regime: Compared with `second_regime`; both empty for no comparison.
    """

    metrics: tuple[CorrelatedMetric, ...]
    regimes: tuple[str, ...]
    corpora: tuple[CorpusPoint, ...]
    first_regime: str = ""
    second_regime: str = ""


@dataclass(frozen=True, slots=True)
class GainCorrelation:
    """Correlation of one metric with the gain in one regime, within strategies.

    Attributes:
        pearson: None, as `interval95` and `spearman`, where `refused` says why.
        leave_one_out_low: Smallest r when the corpora of one generator are left out.
        reliability: Share of the gain's variance within strategies that is not noise; below 0
            where the noise alone would spread the gains more than they are.
        corpus_count: Points that the correlation rests on.
        note: How it must be read.
    """

    metric: str
    regime: str
    pearson: float | None
    interval95: Interval | None
    spearman: float | None
    leave_one_out_low: float | None
    leave_one_out_high: float | None
    reliability: float | None
    corpus_count: int
    generator_count: int
    strategy_count: int
    refused: str
    note: str


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """Fisher's z of two correlations taken as if they came from independent samples.

    Attributes:
        interval95: The interval of the difference of atanh r, transformed back by tanh. It is
            no interval of the difference of the correlations.
        label: What a page has to call it.
    """

    z: float
    p_value: float
    interval95: Interval
    label: str
    note: str


@dataclass(frozen=True, slots=True)
class CorrelationDifference:
    """A metric's correlation in the first regime minus that in the second, over the same corpora.

    Attributes:
        gains_correlation: Correlation of the two regimes' gains, within strategies.
        interval95: Zou's, of the difference of the correlations.
        z: Of the test of Meng, Rosenthal and Rubin.
    """

    metric: str
    first_pearson: float | None
    second_pearson: float | None
    gains_correlation: float | None
    difference: float | None
    interval95: Interval | None
    z: float | None
    p_value: float | None
    reconstruction: Reconstruction | None
    corpus_count: int
    refused: str


@dataclass(frozen=True, slots=True)
class Inversion:
    """Whether a metric's correlation has one sign in the first regime and the other in the second.

    Attributes:
        p_value: One-sided, that of the weaker of the two signs.
        adjusted_p_value: Holm's over all metrics asked about, refused ones among them.
        power: Chance of showing an inversion with correlations of +-`assumed_correlation`.
    """

    metric: str
    inverted: bool
    p_value: float | None
    adjusted_p_value: float | None
    power: float | None
    assumed_correlation: float
    refused: str


@dataclass(frozen=True, slots=True)
class CorrelationAnalysis:
    """All answers: metrics x regimes, then one comparison of the regimes per metric."""

    correlations: tuple[GainCorrelation, ...]
    differences: tuple[CorrelationDifference, ...]
    inversions: tuple[Inversion, ...]
