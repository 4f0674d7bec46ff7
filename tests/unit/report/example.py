"""EXAMPLE numbers for the report: made up from a seed, measured nowhere."""

from typing import Any

import numpy as np
import pandas as pd

from flows.report.columns import COLUMNS
from flows.report.inputs import GeneratorInfo, NotRun, ReportInput
from tests.unit.report.example_contrasts import (
    FAMILIES,
    GAINS,
    MARGIN,
    REGIMES,
    REPLICATES,
    SCOPED,
    Place,
    at,
    contrasts,
    gain,
    level,
    more_contrasts,
)


def example_report(seed: int = 7) -> ReportInput:
    """A plausible study. Nothing in it was measured."""
    rng = np.random.default_rng(seed)
    places = [
        Place(generator, regime, family)
        for generator in GAINS
        for regime in REGIMES
        for family in FAMILIES
        if generator not in SCOPED or regime in (165, 660)
    ]
    return ReportInput(
        design=_design(),
        environment=example_environment(),
        profile="embedded",
        generators=_generators(),
        cells=_table("cells", [_cell(place) for place in places]),
        measurements=_table("measurements", [row for place in places for row in _scores(place, rng)]),
        contrasts=_table(
            "contrasts", [row for place in places for row in contrasts(place, rng)] + more_contrasts(rng)
        ),
        worths=_table("worths", [_worth(Place(name, 165, "tfidf_linear")) for name in GAINS]),
        fidelity=_table("fidelity", [row for name in GAINS for row in _fidelity(name, rng)]),
        retrieval=_table("retrieval", [row for name in ("", *GAINS) for row in _retrieval(name, rng)]),
        rejections=_table("rejections", [_account(n, r) for n in GAINS for r in range(REPLICATES)]),
        rejection_reasons=_table("rejection_reasons", [row for name in GAINS for row in _reasons(name)]),
        rejection_examples=_table("rejection_examples", [_rejected(name) for name in ("copier", "markov")]),
        leakage=_table("leakage", [row for name in GAINS for row in _leak(name)]),
        planted_truth=_table("planted_truth", [_truth(name) for name in GAINS if name != "markov"]),
        truth_note="truth not computed: not a simulator preset",
        not_run=(NotRun("A-E3, prompt families", "needs a backend that takes prompts"),),
    )


def _design() -> dict[str, Any]:
    return {
        "name": "EXAMPLE, no real numbers",
        "digest": "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "task_type": "multi_label",
        "label_count": 64,
        "regimes": list(REGIMES),
        "replicates": REPLICATES,
        "synthetic_documents": 660,
        "train_pool_documents": 4000,
        "test_documents": 1200,
        "test_families": 640,
        "reference_documents": 1000,
        "classifier_families": list(FAMILIES),
        "margin": MARGIN,
        "declared": [f"{name} at 165" for name in GAINS],
        "seed": 20240,
        "dataset": "simulated",
        "dataset_is_simulated": True,
        "folds": 5,
    }


def example_environment() -> dict[str, Any]:
    return {
        "processor": "example processor, 2 cores",
        "memory": {"peak_pss_bytes": 5.1e9, "mean_pss_bytes": 3.2e9, "sample_count": 640},
        "encoder": {"name": "all-MiniLM-L6-v2", "revision": "8b3219a"},
        "packages": {"numpy": "2.4.6", "torch": "2.13.0"},
        "digests": {"measurements.parquet": "ab" * 32, "contrasts.parquet": "cd" * 32},
        "wall_seconds": {"generate": 41.0, "embed": 190.5, "train": 402.0},
    }


def _generators() -> tuple[GeneratorInfo, ...]:
    words = "The simulator with one dial turned: "
    presets = [
        GeneratorInfo(n, "simulator", n, False, words + n.replace("_", " ")) for n in GAINS if n != "markov"
    ]
    learned = GeneratorInfo(
        "markov", "markov", "", False, "Word n-grams learned from the regime's real documents"
    )
    return (*presets, learned)


def _cell(place: Place) -> dict[str, Any]:
    return {
        "cell_id": f"{place.generator}-{place.regime}",
        "arm": f"synthesis:{place.generator}",
        **at(place),
        "replicate": 0,
    }


def _scores(place: Place, rng: np.random.Generator) -> list[dict[str, Any]]:
    lift = {"synthesis": 0.016 + gain(place), "row_twin": 0.016, "real_only": 0.0}
    return [
        {
            **at(place),
            "generator": "" if arm == "real_only" else place.generator,
            "arm": arm if arm == "real_only" else f"{arm}:{place.generator}",
            "role": "treatment" if arm == "synthesis" else "control",
            "replicate": replicate,
            "metric": "micro_f1",
            "threshold_rule": "tuned",
            "value": level(place) + lift[arm] + rng.normal(0, 0.004),
            "sample_count": 1200,
        }
        for replicate in range(REPLICATES)
        for arm in lift
    ]


def _worth(place: Place) -> dict[str, Any]:
    gain = GAINS[place.generator]
    inside = 0 < gain < 0.05
    return {
        **at(place),
        "name": f"worth/{place.generator}",
        "worth": 5000 * gain if inside else None,
        "low": None if gain < 0.02 else 3000 * gain,
        "high": None if gain > 0.05 else max(0.0, 8000 * gain),
        "less_than_none": gain <= 0,
        "more_than_cap": gain >= 0.05,
        "cap": 660.0,
        "note": "",
    }


def _fidelity(generator: str, rng: np.random.Generator) -> list[dict[str, Any]]:
    centre = {"oracle": 0.0005, "exact_null": 0.0012, "copier": 0.002, "noisy": 0.004, "markov": 0.021}
    scopes = ("165", "660") if generator in SCOPED else ("all",)
    return [
        {
            "generator": generator,
            "regime_scope": scope,
            "replicate": replicate,
            "metric": "mmd2",
            "value": (value := centre.get(generator, 0.014) + rng.normal(0, 0.0006)),
            "floor": 0.0004,
            "ceiling": 0.0404,
            "sample_count": 660,
            "undefined_reason": "",
            "normalised": None if generator == "copier" else (value - 0.0004) / 0.04,
        }
        for scope in scopes
        for replicate in range(REPLICATES)
    ]


def _retrieval(generator: str, rng: np.random.Generator) -> list[dict[str, Any]]:
    return [
        {
            "reading": reading,
            "arm": f"synthesis:{generator}" if generator else "real_only",
            "generator": generator,
            "metric": metric,
            "value": 0.41 + rng.normal(0, 0.01),
            "low": 0.38,
            "high": 0.44,
            "query_count": 1140,
            "replicate_count": REPLICATES,
            "undefined_reason": "",
        }
        for reading in ("real_only", "all")
        for metric in ("ndcg@10", "recall@10")
    ]


def _account(generator: str, replicate: int) -> dict[str, Any]:
    rejected = 41 + replicate if generator == "markov" else 0
    return {
        "generator": generator,
        "replicate": replicate,
        "regime_scope": "165" if generator in SCOPED else "all",
        "requested": 660 + rejected,
        "accepted": 660,
        "rejected": rejected,
        "failed": 0,
    }


def _reasons(generator: str) -> list[dict[str, Any]]:
    kinds = {"markov": ("rejected", "copy_of_real", 350), "copier": ("flagged", "copy_of_real", 1190)}
    if generator not in kinds:
        return []
    outcome, reason, count = kinds[generator]
    return [
        {"generator": generator, "regime_scope": "all", "outcome": outcome, "reason": reason, "count": count}
    ]


def _rejected(generator: str) -> dict[str, Any]:
    text = "A walking aid with a <b>foldable</b> frame, a seat and two brakes acting upon the rear wheels."
    return {
        "generator": generator,
        "outcome": "flagged",
        "reason": "copy_of_real",
        "text": text,
        "nearest_id": "EX-00017",
        "nearest_text": text.replace("two", "two hand"),
        "similarity": 0.94,
    }


def _leak(generator: str) -> list[dict[str, Any]]:
    return [
        {
            "left": "train pool",
            "right": generator,
            "kind": kind,
            "left_count": 4000,
            "right_count": 660,
            "pair_count": 3,
            "left_found": 3,
            "right_found": 2,
            "threshold": None,
            "pairs": "r1 ~ s1 (1.00)",
            "undefined_reason": "",
        }
        for kind in ("equal_text", "near_duplicate", "shared_family")
    ]


def _truth(generator: str) -> dict[str, Any]:
    theta = GAINS[generator]
    name = "better" if theta > 0.024 else "worse" if theta < -MARGIN else "equivalent"
    truth_class = "unclear" if generator == "noisy" else name
    place = at(Place(generator, 165, "tfidf_linear"))
    return {**place, "theta": theta, "standard_error": 0.0018, "truth_class": truth_class}


def _table(name: str, records: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(records).reindex(columns=list(COLUMNS[name]))
