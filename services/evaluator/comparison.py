"""Contrasts and worths from prediction artifacts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from services.domain.artifact import ArtifactRef
from services.domain.errors import InvalidInputError
from services.evaluator.encoding import comparison_to_json
from services.evaluator.inference import Evidence, judge
from services.evaluator.influence import (
    ArmScores,
    RatioTerms,
    UndefinedScoreError,
    arm_scores,
    micro_f1_terms,
)
from services.evaluator.label_ranking import label_ranking
from services.evaluator.planning import ArmComparison, Rules, WorthResult
from services.evaluator.predictions import (
    Truth,
    decide,
    load_predictions,
    load_truth,
    load_unit_values,
)
from services.evaluator.unit_means import UnitValues, mean_evidence
from services.evaluator.worth import RulerPoint, worth_in_documents
from services.storage.store import Store

VERSION = 1
HEADLINE = "micro_f1"
AT_HALF = "micro_f1@0.5"
RANKING = "lrap"
# Shown, never declared: a threshold of .5 and rankings answer another question than the claims.
SHOWN_ONLY = (AT_HALF, RANKING)
NO_CONTRAST = ("macro_f1", "per_label_f1")


def compare(payload: dict[str, Any], report: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Worker job: compare arms, filed in the store under the digest of what was asked.

    The payload holds `store`, `truth`, `contrasts` (name, treatment, control, declared,
    score), `rulers` (name, treatment, rungs of real_documents and predictions) and
    `rules`; artifacts are named by digest.
    """
    store = Store(payload["store"])
    asked = {name: payload[name] for name in ("truth", "contrasts", "rulers", "rules")}
    key = {"what": "arm_comparison", "version": VERSION, **asked}

    def compute() -> ArtifactRef:
        truth = load_truth(store, payload["truth"])
        return store.put_json(comparison_to_json(compare_stored(store, truth, asked)))

    return dict(store.get_json(store.computed(key, compute)))


def compare_stored(store: Store, truth: Truth, asked: dict[str, Any]) -> ArmComparison:
    """Compare arms whose predictions lie in the store.

    Raises:
        InvalidInputError: Sides that do not pair, predictions of another test, scores that are
            not finite, or a claim on a score that carries none.
    """
    rules = Rules(**asked["rules"])
    if not 0.0 < rules.margin < 1.0:
        raise InvalidInputError(f"the margin is {rules.margin}; it lies between 0 and 1", field="margin")
    _require_names(asked)
    arms = ArmReader(store, truth)
    evidence = [arms.evidence(contrast, f"contrasts[{i}]") for i, contrast in enumerate(asked["contrasts"])]
    worths = [arms.worth(ruler, rules, f"rulers[{i}]") for i, ruler in enumerate(asked["rulers"])]
    return ArmComparison(judge(evidence, rules), tuple(worths))


@dataclass
class ArmReader:
    """Reads arms, each artifact once however many contrasts share it."""

    store: Store
    truth: Truth
    _terms: dict[tuple[str, str], RatioTerms] = field(default_factory=dict)
    _units: dict[tuple[str, str], UnitValues] = field(default_factory=dict)

    def evidence(self, contrast: dict[str, Any], where: str) -> Evidence:
        """Return what a contrast rests on; `where` names it in errors."""
        score = contrast["score"] or HEADLINE
        _require_contrastable(score, contrast["declared"], where)
        _require_pairs(contrast["treatment"], contrast["control"], where)
        if score in (HEADLINE, AT_HALF):
            return self._micro_evidence(contrast, score)
        treatment, control = (
            [self._unit_values(sha256, score) for sha256 in contrast[side]]
            for side in ("treatment", "control")
        )
        # Rankings of labels are means over test documents, everything else over queries.
        behind = self._positives if score == RANKING else None
        return mean_evidence(
            contrast["name"],
            treatment,
            control,
            self.truth.families,
            declared=contrast["declared"],
            score=score,
            positive_count=behind,
        )

    def worth(self, ruler: dict[str, Any], rules: Rules, where: str) -> WorthResult:
        """Read a gain off a ruler."""
        cap = max((rung["real_documents"] for rung in ruler["rungs"]), default=0.0)
        try:
            return self._worth(ruler, rules, where)
        except UndefinedScoreError as undefined:
            return WorthResult(ruler["name"], None, None, None, False, False, cap, undefined.message)

    def _worth(self, ruler: dict[str, Any], rules: Rules, where: str) -> WorthResult:
        rungs = []
        for j, rung in enumerate(ruler["rungs"]):
            _require_pairs(ruler["treatment"], rung["predictions"], f"{where}.rungs[{j}]")
            rungs.append(RulerPoint(rung["real_documents"], self._micro(rung["predictions"], HEADLINE)))
        treatment = self._micro(ruler["treatment"], HEADLINE)
        return worth_in_documents(ruler["name"], treatment, rungs, rules, self._positives)

    @property
    def _positives(self) -> int:
        return int(self.truth.indicator.sum())

    def _micro_evidence(self, contrast: dict[str, Any], score: str) -> Evidence:
        name, declared = contrast["name"], contrast["declared"]
        try:
            treatment, control = (self._micro(contrast[side], score) for side in ("treatment", "control"))
        except UndefinedScoreError as undefined:
            return Evidence(name, None, None, self._positives, declared, score, remark=undefined.message)
        return Evidence(name, treatment, control, self._positives, declared, score)

    def _micro(self, artifacts: Sequence[str], score: str) -> ArmScores:
        return arm_scores([self._micro_terms(sha256, score) for sha256 in artifacts])

    def _micro_terms(self, sha256: str, score: str) -> RatioTerms:
        if (sha256, score) not in self._terms:
            predictions = load_predictions(self.store, sha256, self.truth)
            predicted = decide(predictions, self.truth, at_half=score == AT_HALF)
            self._terms[sha256, score] = micro_f1_terms(self.truth.indicator, predicted, self.truth.families)
        return self._terms[sha256, score]

    def _unit_values(self, sha256: str, score: str) -> UnitValues:
        if (sha256, score) not in self._units:
            self._units[sha256, score] = self._read_units(sha256, score)
        return self._units[sha256, score]

    def _read_units(self, sha256: str, score: str) -> UnitValues:
        if score != RANKING:
            return load_unit_values(self.store, sha256, score, self.truth)
        predictions = load_predictions(self.store, sha256, self.truth)
        values = label_ranking(self.truth.indicator, predictions.scores, predictions.prevalence).per_document
        return UnitValues(values, ~np.isnan(values))


def _require_names(asked: dict[str, Any]) -> None:
    for kind in ("contrasts", "rulers"):
        names = [one["name"] for one in asked[kind]]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None or "" in names:
            raise InvalidInputError(
                f"each of the {kind} needs a name of its own; {twice or ''!r} is none", field=f"{kind}.name"
            )


def _require_contrastable(score: str, declared: bool, where: str) -> None:
    if score in NO_CONTRAST:
        raise InvalidInputError(
            f"{score} is shown as points only; contrast {HEADLINE}, {AT_HALF}, {RANKING} or values per unit",
            field=f"{where}.score",
        )
    if declared and score in SHOWN_ONLY:
        raise InvalidInputError(
            f"{score} is shown but never declared; declare {HEADLINE} and leave this one exploratory",
            field=f"{where}.declared",
        )


def _require_pairs(treatment: Sequence[str], control: Sequence[str], where: str) -> None:
    if not treatment or len(treatment) != len(control):
        raise InvalidInputError(
            f"{where} pairs {len(treatment)} replicates with {len(control)}; give one prediction "
            "per replicate on both sides, in the same order",
            field=where,
        )
