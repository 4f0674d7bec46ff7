"""What a report is rendered from. Nothing on the page comes from anywhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import pandas as pd

from flows.report.columns import COLUMNS, empty_table, require_columns
from flows.report.page import Section

JsonMap: TypeAlias = Mapping[str, Any]

THIS_FILE = "this file"
THIS_GENERATOR = "this generator"


class GeneratorInfo(NamedTuple):
    """Who wrote a synthetic corpus, as the page must say it."""

    name: str
    backend: str  # "simulator", "markov", "corpus_file", ...
    preset: str  # "" where the backend has none
    is_llm: bool
    description: str


class NotRun(NamedTuple):
    """An experiment or table that this study did not run, and what it would have needed."""

    experiment: str
    reason: str  # completes "not run: ..."


@dataclass(frozen=True, slots=True, eq=False)
class ReportInput:
    """All a study's report shows.

    Attributes:
        design: Facts of the design. Read by name: name, digest, task_type, label_count, regimes (list of
            int), replicates, synthetic_documents, train_pool_documents, test_documents, test_families,
            reference_documents, classifier_families (list), margin (float), declared (list of claims,
            whether or not their contrasts were run), seed, folds, validation, dataset, dataset_is_simulated (bool), primary_score (default
            "micro_f1"). Lacking keys are left out of the page; every further key is printed as it is.
        environment: Read by name: processor, memory (dict: peak_pss_bytes, mean_pss_bytes, sample_count,
            every_seconds), encoder (dict: name, revision), packages (dict), digests (dict),
            wall_seconds (dict: stage -> seconds), algorithms (dict). Every further key is printed as it is.
        profile: "embedded", "tgi", ...
        generators: In the order in which the page lists them.
        cells: One row a cell.
        measurements: One row a cell, metric and threshold rule; `value` null where undefined. `role` is
            "treatment" or "control". A control drawn for one corpus names its generator; real_only does not.
        contrasts: One row a contrast. `kind`: gain_vs_control, gain_vs_real, gain_vs_resampled, ceiling
            (new_real against its control) or retrieval. `arm` and `control` are arm names, condition before a
            colon ("row_twin:oracle"); `generator` is "" for the ceiling, which is drawn beside the raw
            gains where its control is real_only. `score`: micro_f1 (the tuned threshold), micro_f1@0.5,
            lrap, ndcg@10, ...
            `reading`: "real_only" or "all" for retrieval, "" elsewhere. `regime`: documents, null where it
            does not apply. `effect` null where undefined, with the reason in `note`.
        worths: One row a ruler. `low` null means less than none, `high` null means more than `cap`.
        fidelity: One row a corpus and metric. `regime_scope`: the regime as text for regime-scoped
            corpora, "all" for a corpus that recurs in every regime. `normalised`: (value - floor) /
            (ceiling - floor), null where that gap is under 4 floor sd. `low` and `high` may be null: then
            the page makes its interval over replicates.
        retrieval: One row a reading, arm, generator and metric: means over replicates. arm real_only is
            the index of real documents alone. Differences to that index are contrasts of kind "retrieval".
        rejections: One row a corpus: requested = accepted + rejected + failed.
        rejection_reasons: Long. `outcome`: rejected, failed, or flagged (counted but kept, as for
            simulator presets).
        rejection_examples: A document beside its nearest real one; `nearest_*`, `similarity` may be null.
        leakage: One row a pair of parts of the study and kind of leakage; `right_found` documents of
            `right` are in some pair.
        planted_truth: Monte Carlo theta of simulated generators; `truth_class`: better, equivalent, worse,
            or unclear (within 2 SE of the margin).
        truth_note: Shown where a truth is lacking, e.g. "truth not computed for this design".
        not_run: What the profile could not run.
        findings: Tables that experiments computed from the others, by name; each experiment's own
            section reads them.
        sections: What experiments show, in the design's order.

    Required columns: `flows.report.columns.COLUMNS`.
    """

    design: JsonMap
    environment: JsonMap
    profile: str
    generators: tuple[GeneratorInfo, ...]
    cells: pd.DataFrame
    measurements: pd.DataFrame
    contrasts: pd.DataFrame
    worths: pd.DataFrame = field(default_factory=partial(empty_table, "worths"))
    fidelity: pd.DataFrame = field(default_factory=partial(empty_table, "fidelity"))
    retrieval: pd.DataFrame = field(default_factory=partial(empty_table, "retrieval"))
    rejections: pd.DataFrame = field(default_factory=partial(empty_table, "rejections"))
    rejection_reasons: pd.DataFrame = field(default_factory=partial(empty_table, "rejection_reasons"))
    rejection_examples: pd.DataFrame = field(default_factory=partial(empty_table, "rejection_examples"))
    leakage: pd.DataFrame = field(default_factory=partial(empty_table, "leakage"))
    planted_truth: pd.DataFrame = field(default_factory=partial(empty_table, "planted_truth"))
    truth_note: str = ""
    not_run: tuple[NotRun, ...] = ()
    findings: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()

    def __post_init__(self) -> None:
        for name in COLUMNS:
            require_columns(name, getattr(self, name))


class Finding(NamedTuple):
    """One line of an audit's preflight."""

    level: str  # "ok", "note", "warning"
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One of the two readings of a file, by `title`: THIS_FILE or THIS_GENERATOR.

    `effect` None means undefined, with the reason in `note`. `synthetic_documents` is n_syn of this reading.
    """

    title: str
    verdict: str
    effect: float | None
    low95: float | None
    high95: float | None
    low90: float | None
    high90: float | None
    adjusted_p_value: float | None
    mde: float | None
    replicate_count: int
    test_family_count: int
    real_documents: int
    synthetic_documents: int
    treatment_mean: float | None
    control_mean: float | None
    conditional: bool
    note: str


@dataclass(frozen=True, slots=True)
class Worth:
    """Worth in real documents at `regime`; `low` None is less than none, `high` None more than `cap`."""

    regime: int
    worth: float | None
    low: float | None
    high: float | None
    less_than_none: bool
    more_than_cap: bool
    cap: float
    note: str


@dataclass(frozen=True, slots=True)
class Distance:
    """A distance to real text between its floor (real to real) and its ceiling."""

    metric: str
    value: float | None
    floor: float | None
    ceiling: float | None
    normalised: float | None
    sample_count: int
    undefined_reason: str


@dataclass(frozen=True, slots=True)
class Example:
    """A rejected or leaked document beside the real document nearest to it."""

    outcome: str
    reason: str
    text: str
    nearest_id: str
    nearest_text: str
    similarity: float | None


@dataclass(frozen=True, slots=True)
class AuditedFile:
    """One synthetic file of an audit. requested = accepted + rejected + failed."""

    name: str
    readings: tuple[Reading, ...]
    worth: Worth | None
    worth_note: str  # why there is no worth, where there is none
    distances: tuple[Distance, ...]
    requested: int
    accepted: int
    rejected: int
    failed: int
    reasons: Mapping[str, int]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class AuditInput:
    """All an audit's report shows.

    Attributes:
        title: E.g. the names of the files.
        facts: What was audited, in reading order: real documents, test, columns guessed, family, seed, ...
        findings: The preflight.
        files: One entry a synthetic file.
        margin: The equivalence margin, in the score's units.
        score: E.g. "micro_f1".
        environment: As in ReportInput.
    """

    title: str
    facts: Mapping[str, str]
    findings: tuple[Finding, ...]
    files: tuple[AuditedFile, ...]
    margin: float
    score: str
    environment: JsonMap
