"""EXAMPLE contrasts for the report: made up from a seed, measured nowhere."""

from dataclasses import dataclass
from typing import Any

import numpy as np

REGIMES, FAMILIES, REPLICATES, MARGIN = (165, 330, 660, 1320), ("frozen_encoder", "tfidf_linear"), 8, 0.02
GAINS = {
    "oracle": 0.062,
    "exact_null": 0.001,
    "copier": -0.004,
    "noisy": 0.024,
    "drifted": -0.033,
    "fluent_label_free": -0.058,
    "markov": 0.011,
}
VERDICTS = ("better", "equivalent", "equivalent", "inconclusive", "worse", "worse", "inconclusive")
SCOPED = ("exact_null", "markov")


@dataclass(frozen=True, slots=True)
class Place:
    generator: str
    regime: int
    family: str


def at(place: Place) -> dict[str, Any]:
    return {"generator": place.generator, "regime": place.regime, "classifier_family": place.family}


def level(place: Place) -> float:
    base = 0.33 + 0.05 * np.log2(place.regime / 165)
    return float(base + (0.03 if place.family == "frozen_encoder" else 0.0))


def gain(place: Place) -> float:
    return GAINS[place.generator] * float((165 / place.regime) ** 0.5)


def contrasts(place: Place, rng: np.random.Generator) -> list[dict[str, Any]]:
    declared = place.regime == 165 and place.family == "tfidf_linear"
    effect = gain(place) + rng.normal(0, 0.003)
    verdict = VERDICTS[list(GAINS).index(place.generator)] if declared else "exploratory"
    control = {**_contrast(place, "gain_vs_control", effect, 0.006), "declared": declared, "verdict": verdict}
    return [
        control,
        _contrast(place, "gain_vs_real", effect + 0.016, 0.007),
        _contrast(place, "gain_vs_resampled", effect + 0.021, 0.007),
        {**_contrast(place, "gain_vs_control", effect / 2, 0.003), "score": "lrap"},
    ]


def _contrast(place: Place, kind: str, effect: float, error: float) -> dict[str, Any]:
    controls = {
        "gain_vs_control": f"row_twin:{place.generator}",
        "gain_vs_real": "real_only",
        "gain_vs_resampled": "resampled_twin",
    }
    return {
        **at(place),
        "name": f"{kind}/{place.generator}/{place.regime}/{place.family}",
        "kind": kind,
        "arm": f"synthesis:{place.generator}",
        "control": controls.get(kind, "real_only"),
        "score": "micro_f1",
        "effect": effect,
        "low95": effect - 2.2 * error,
        "high95": effect + 2.2 * error,
        "low90": effect - 1.8 * error,
        "high90": effect + 1.8 * error,
        "standard_error": error,
        "degrees_of_freedom": 11.0,
        "mde": 3 * error,
        "p_value": float(np.exp(-abs(effect / error))),
        "adjusted_p_value": min(1.0, 3 * float(np.exp(-abs(effect / error)))),
        "declared": False,
        "verdict": "exploratory",
        "conditional": False,
        "note": "",
        "reading": "",
        "replicate_count": REPLICATES,
        "test_family_count": 640,
        "positive_count": 3400,
        "treatment_mean": level(place) + effect,
        "control_mean": level(place),
    }


def more_contrasts(rng: np.random.Generator) -> list[dict[str, Any]]:
    """The ceiling per regime and family, and the retrieval contrasts."""
    ceilings = [
        {**_contrast(Place("oracle", regime, family), "ceiling", 0.07 * (165 / regime) ** 0.5, 0.006)}
        | {"generator": "", "arm": "new_real", "name": f"ceiling/{regime}/{family}"}
        for regime in REGIMES
        for family in FAMILIES
    ]
    searched = [
        {**_contrast(Place(name, 165, ""), "retrieval", rng.normal(-0.01, 0.012), 0.004)}
        | {
            "score": "ndcg@10",
            "reading": reading,
            "control": control if control == "real_only" else f"{control}:{name}",
            "name": f"retrieval/{reading}/{name}/{control}",
        }
        for name in GAINS
        for control in ("real_only", "row_twin")
        for reading in ("real_only", "all")
    ]
    return ceilings + searched
