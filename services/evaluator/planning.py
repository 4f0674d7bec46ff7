"""What is asked of the evaluator and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.measurement import Interval

Artifacts = tuple[ArtifactRef, ...]


class Verdict(StrEnum):
    """What a contrast may claim; `exploratory` is everything that was not declared."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    NEGLIGIBLE = "negligible"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTED = "not tested"
    EXPLORATORY = "exploratory"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long call has come, in units finished."""

    activity: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """A metric as a service describes it; `kind` is "predictions" or "fidelity"."""

    name: str
    lower_is_better: bool
    description: str
    minimum_count: int
    kind: str


@dataclass(frozen=True, slots=True)
class Measurables:
    """Everything a service can measure with."""

    metrics: tuple[MetricInfo, ...]
    encoders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContrastSpec:
    """Treatment against control, one prediction artifact per replicate and side.

    `score` is "micro_f1" (at the tuned threshold), "micro_f1@0.5", "lrap", or the name of an
    array of per-unit values inside the artifacts, such as "ndcg@10".
    """

    name: str
    treatment: Artifacts
    control: Artifacts
    declared: bool
    score: str = "micro_f1"


@dataclass(frozen=True, slots=True)
class ContrastResult:
    """A contrast with its uncertainty and what it may claim.

    Attributes:
        effect: Treatment minus control, mean over replicates; None where a score is undefined.
        interval95: None where there is no variance to build it from.
        adjusted_p_value: Holm over the declared claims, Benjamini-Hochberg over the others.
        mde: Smallest effect that this design finds with power .80, after Holm.
        positive_count: Positive labels pooled over the test, or queries with relevant documents.
        conditional: The interval is over test families only, with the training sets as given.
        note: Why there is no verdict, or how it must be worded.
        replicate_variance: s2_r, the variance of the difference over replicates.
        document_variance: V_doc * T, the variance of a family's mean influence.
    """

    name: str
    effect: float | None
    interval95: Interval | None
    interval90: Interval | None
    standard_error: float | None
    degrees_of_freedom: float | None
    p_value: float | None
    adjusted_p_value: float | None
    verdict: str
    mde: float | None
    replicate_count: int
    test_family_count: int
    positive_count: int
    conditional: bool
    note: str
    treatment_mean: float | None
    control_mean: float | None
    declared: bool = False
    score: str = "micro_f1"
    replicate_variance: float | None = None
    document_variance: float | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """The row twin with some of its copies replaced by new real documents."""

    real_documents: float
    predictions: Artifacts


@dataclass(frozen=True, slots=True)
class RulerSpec:
    """An arm and the rungs that its score is measured against."""

    name: str
    treatment: Artifacts
    rungs: tuple[Rung, ...]


@dataclass(frozen=True, slots=True)
class WorthResult:
    """Worth in new real documents.

    Attributes:
        worth: None where the arm scores outside the ruler; one of the flags then says where.
        low: Smallest number of documents that is compatible with the score; None where it lies
            below none.
        high: Largest one; None where it lies above the cap. An arm shown below the row twin has
            `high` 0, one shown above the last rung `low` = cap.
        cap: Real documents of the longest rung.
    """

    name: str
    worth: float | None
    low: float | None
    high: float | None
    less_than_none: bool
    more_than_cap: bool
    cap: float
    note: str


@dataclass(frozen=True, slots=True)
class ArmComparison:
    """All contrasts and worths of one call, in the order asked."""

    contrasts: tuple[ContrastResult, ...]
    worths: tuple[WorthResult, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """When a verdict may be given, and how large a difference matters.

    Attributes:
        margin: Differences within +- margin do not matter.
        full_test: From `minimum_families` up to here a verdict says "small test".
        minimum_queries: Queries with relevant documents that a retrieval verdict takes.
        fixed_real: Read training sets as given, so that one replicate is enough.
    """

    margin: float = 0.02
    alpha: float = 0.05
    minimum_replicates: int = 5
    minimum_families: int = 200
    full_test: int = 200
    minimum_positives: int = 30
    minimum_queries: int = 100
    maximum_claims: int = 12
    fixed_real: bool = False


@dataclass(frozen=True, slots=True)
class FidelitySpec:
    """Corpora to measure against one held-out reference; embeddings pair with corpora."""

    reference: ArtifactRef | Corpus
    reference_embeddings: ArtifactRef
    corpora: tuple[ArtifactRef | Corpus, ...]
    embeddings: Artifacts
    metrics: tuple[str, ...]
    ceiling: ArtifactRef | Corpus | None = None
    ceiling_embeddings: ArtifactRef | None = None
    seed: int = 0
