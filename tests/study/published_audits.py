"""The audits of the page: which are planned, and what is kept of each."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

import synthtrial
from flows.auditing.result import AuditResult
from flows.report.inputs import THIS_FILE, AuditedFile, Reading
from tests.study.published_kept import Rows, audit_key, kept
from tests.study.published_sets import (
    DIMENSIONS,
    HYPERBOLE,
    SEED,
    ZERO_SHOT,
    Trial,
    augcmp,
    in_known_words,
    kinit,
    parrot,
)

REPLICATES = 5


class Classifier(NamedTuple):
    """A classifier family with parameters that are not its own; `name` is for the page."""

    name: str
    family: str
    parameters: Mapping[str, Any]


LINEAR = Classifier("tfidf_linear", "tfidf_linear", {})
# Leaves out words that a single unique text of the training set holds.
REPEATED_WORDS = Classifier("tfidf_linear, min_df 2", "tfidf_linear", {"min_df": 2})
ENCODER = Classifier("frozen_encoder", "frozen_encoder", {})


def audited(data: Path, work: Path) -> Iterator[pd.DataFrame]:
    """Run every planned audit that is not kept; yield a row per file of each."""
    for trial, classifier in planned(data):
        started = time.monotonic()
        rows = kept_audit(trial, classifier, work)
        took = time.monotonic() - started
        print(f"{trial.corpus}, {trial.draw}, {classifier.name}: {took:.0f} s", flush=True)
        yield pd.DataFrame(rows)


def planned(data: Path) -> Iterator[tuple[Trial, Classifier]]:
    """Return the trials and with which classifier; fewer where texts must be embedded."""
    for trial in (*kinit(data), *augcmp(data)):
        yield trial, LINEAR
    for trial in kinit(data, (ZERO_SHOT,)):
        yield trial, ENCODER
        yield trial, REPEATED_WORDS
        yield in_known_words(trial), LINEAR
    for corpus in (HYPERBOLE, DIMENSIONS):
        yield parrot(data, corpus, ("seed",)), LINEAR
        yield parrot(data, corpus, ("seed",)), ENCODER
    yield parrot(data, HYPERBOLE, ("seed", "train")), LINEAR


def kept_audit(trial: Trial, classifier: Classifier, work: Path) -> Rows:
    """Return the rows of one audit, which is run where it is not kept."""
    settings = {"replicates": REPLICATES, "seed": SEED, **classifier._asdict()}

    def run() -> Rows:
        return rows_of(trial, classifier, run_audit(trial, classifier, work / "audits"))

    return kept(work / "rows", audit_key(trial, classifier.family, settings), run)


def run_audit(
    trial: Trial, classifier: Classifier, store: Path | None = None, **settings: Any
) -> AuditResult:
    """Audit the files of one trial together."""
    given: dict[str, Any] = {"replicates": REPLICATES, "seed": SEED} | settings
    given |= {"family": classifier.family, "parameters": dict(classifier.parameters)}
    return synthtrial.audit(trial.real, trial.synthetic, trial.test, store=store, quiet=True, **given)


def rows_of(trial: Trial, classifier: Classifier, result: AuditResult) -> Rows:
    """Return one row per file with both readings and its account."""
    common = {
        "corpus": trial.corpus,
        "draw": trial.draw,
        "family": classifier.name,
        "official": trial.official,
    }
    return [common | _row(entry) for entry in result.files]


def _row(entry: AuditedFile) -> dict[str, Any]:
    readings = {"" if one.title == THIS_FILE else "generator_": one for one in entry.readings}
    counts = {name: getattr(entry, name) for name in ("requested", "accepted", "rejected", "failed")}
    worth = entry.worth
    return {
        "file": entry.name,
        **counts,
        **{f"{mark}{name}": value for mark, one in readings.items() for name, value in _shown(one).items()},
        "worth": worth.worth if worth else None,
        "worth_low": worth.low if worth else None,
        "worth_high": worth.high if worth else None,
        "worth_cap": worth.cap if worth else None,
        "worth_beyond": bool(worth and worth.more_than_cap),
        "worth_below": bool(worth and worth.less_than_none),
    }


def _shown(one: Reading) -> dict[str, Any]:
    return {
        "verdict": one.verdict,
        "effect": one.effect,
        "low": one.low95,
        "high": one.high95,
        "score": one.treatment_mean,
        "twin": one.control_mean,
        "real": one.real_documents,
        "synthetic": one.synthetic_documents,
        "replicates": one.replicate_count,
        "tested": one.test_family_count,
    }
