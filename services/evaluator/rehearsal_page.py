"""The page that says how the inference behaved in rehearsal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MAXIMUM_ERROR = 0.065
MAXIMUM_FALSE_BETTER = 0.05
MINIMUM_COVERAGE = 0.93


@dataclass(frozen=True, slots=True)
class Row:
    """Rates over the simulated studies of one situation.

    Attributes:
        binding: The criteria apply; otherwise the row is for the reader.
        wrongly_above: One-sided tests of true nulls that reject at .05, upwards; None where
            the contrasts are not null, given the training runs.
        false_better: Studies that call any of their true nulls better, after Holm.
        planted: The true effect of the treatment that helps.
        found: How often it is called better.
        half_width: Of the 95 % interval, on average.
        degrees_of_freedom: Median.
    """

    learner: str
    replicates: int
    families: int
    binding: bool
    wrongly_above: float | None
    wrongly_below: float | None
    false_better: float | None
    coverage_null: float
    coverage_planted: float
    planted: float
    found: float
    half_width: float
    degrees_of_freedom: float

    def failures(self) -> tuple[str, ...]:
        """Return the criteria that this row breaks."""
        if not self.binding:
            return ()
        errors = [rate for rate in (self.wrongly_above, self.wrongly_below) if rate is not None]
        broken = []
        if any(rate > MAXIMUM_ERROR for rate in errors):
            broken.append("one-sided error")
        if self.false_better is not None and self.false_better > MAXIMUM_FALSE_BETTER:
            broken.append("false better")
        if min(self.coverage_null, self.coverage_planted) < MINIMUM_COVERAGE:
            broken.append("coverage")
        return tuple(broken)

    def line(self) -> str:
        """Return the row as a line of a Markdown table."""
        verdict = ", ".join(self.failures()) or ("held" if self.binding else "shown only")
        cells = [
            "1 (this file)" if self.replicates == 1 else str(self.replicates),
            str(self.families),
            self.learner,
            _rate(self.wrongly_above),
            _rate(self.wrongly_below),
            _rate(self.false_better),
            _rate(self.coverage_null),
            _rate(self.coverage_planted),
            f"{self.planted:.4f}",
            f"{self.found:.2f}",
            f"{self.half_width:.4f}",
            f"{self.degrees_of_freedom:.1f}",
            verdict,
        ]
        return "| " + " | ".join(cells) + " |"


def page(rows: Sequence[Row], studies: int, seed: int) -> str:
    """Return the whole page."""
    binding = [row for row in rows if row.binding]
    admitted = [row for row in binding if row.replicates != 3]
    summary = (
        f"{_held(binding)} of {len(binding)} situations hold every criterion; "
        f"{_held(admitted)} of {len(admitted)} of those that a verdict is given in (R ≥ 5, or this file)."
    )
    table = [HEAD, RULE, *(row.line() for row in rows)]
    return "\n".join([INTRODUCTION.format(studies=studies, seed=seed), summary, "", *table, "", LEGEND])


def _held(rows: Sequence[Row]) -> int:
    return sum(not row.failures() for row in rows)


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


INTRODUCTION = """# Rehearsal of the inference

Written by `make rehearse`: {studies:,} simulated studies per row, master seed {seed}. Every study
goes through the functions that `CompareArms` calls (`micro_f1_terms`, `arm_scores`, `judge`).
A study declares four claims: three exact nulls, whose treatment and control follow one law, and
one treatment that helps. Test documents come in families; margins of single documents, arms,
real subsets, corpora and training runs all vary (`services/evaluator/rehearsal_model.py`).
The truth of an effect is the closed form of that model, averaged over 400,000 draws of runs.
"""
HEAD = (
    "| R | T | learner | one-sided error, up | down | any false better | coverage, nulls "
    "| coverage, planted | planted effect | found | half-width | df | criteria |"
)
RULE = "|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|"
LEGEND = f"""Criteria: one-sided error at nominal .05 at most {MAXIMUM_ERROR} per contrast, any false "better" in a
study at most {MAXIMUM_FALSE_BETTER} after Holm, coverage of the 95 % interval at least {MINIMUM_COVERAGE}. Errors below
nominal are conservative and do not fail.

* R: replicates, T: test families. The floors of the rules (R ≥ 5, T ≥ 200) are lifted here, so that
  the rows below them show what the floors protect from.
* Three replicates are too few, and not because of this model: with normal differences and known
  document variance, Satterthwaite's interval covers .922 where replicates make up nine tenths of
  the variance, because s2_r on two degrees of freedom is often far too small and the estimated
  degrees of freedom rise just then; for five replicates the worst is .941, for eight .947. At
  Holm's small levels the excess is larger (.0195 for .00625 at R = 3, .0100 at R = 5, .0074 at
  R = 8). `tests/study/test_inference_calibration.py` repeats the coverage. A verdict takes R ≥ 5.
* "This file" rows take the training runs as given: the interval is over test families alone and is
  held against the expected difference of those very runs. Their nulls are not null, given the runs.
* "Found" is how often the planted effect is called better after Holm; "half-width" is that of the
  95 % interval, "df" its median degrees of freedom.
* With one run in twenty failing, differences over replicates are far from normal; these rows are
  shown and do not bind.
* Margins are simulated, not trained: what the table cannot show is a learner whose runs differ in
  another way. The end-to-end rehearsal is for that.
"""
