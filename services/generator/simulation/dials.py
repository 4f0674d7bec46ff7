"""How a simulated generator deviates from reality, and the presets that name deviations."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from services.domain.errors import InvalidInputError
from services.generator.parameters import Parameters, checked_number, refuse_unknown, text

PRESETS_FILE = Path(__file__).parent / "presets.toml"
DEFAULT_PRESET = "reality"

PerLabel = float | Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Law:
    """The constants of the simulated world; `presets.toml` says what each means."""

    exponent: float
    offset: float
    sizes: tuple[float, ...]
    same_domain: float
    related: float
    own: float
    sibling: float
    term_exponent: float
    unmentioned: float
    terms: tuple[float, ...]
    family_block: int
    family_sizes: tuple[float, ...]
    kept: float


@dataclass(frozen=True, slots=True)
class Dials:
    """What can be wrong with a generator. The defaults are reality without families.

    Attributes:
        vocabulary_fidelity: Share of a label's own terms that stay; the others become shared terms.
        labels_added: Probability that a listed label is not in the text, overall or per label.
        labels_dropped: Probability that a companion of a listed label is in the text but not
            listed, overall or per companion.
        topical_diversity: Share of a label's terms in use, the most common ones first.
        copy_rate: Probability that a document is a real one, verbatim before paraphrase noise.
        paraphrase_noise: Share of words dropped, swapped or padded.
        genre_drift: Probability of a genre that reality does not have.
        label_name_leakage: Probability per label that the text says its name.
        marginal_tilt: 0 keeps the label marginals, 1 evens them out, below 0 steepens them; acts
            on label sets that the simulator draws itself.
        length: Factor on the number of terms.
        independent_text: Probability that the text is written for other labels altogether.
        families: Whether the simulator's own label sets come in patent families.
        resample: Nothing but real documents drawn with replacement, source not named.
    """

    vocabulary_fidelity: float = 1.0
    labels_added: PerLabel = 0.0
    labels_dropped: PerLabel = 0.0
    topical_diversity: float = 1.0
    copy_rate: float = 0.0
    paraphrase_noise: float = 0.0
    genre_drift: float = 0.0
    label_name_leakage: float = 0.0
    marginal_tilt: float = 0.0
    length: float = 1.0
    independent_text: float = 0.0
    families: bool = False
    resample: bool = False

    @property
    def needs_real(self) -> bool:
        return self.resample or self.copy_rate > 0


RANGES = {"marginal_tilt": (-2.0, 1.0), "length": (0.3, 1.5)}
SWITCHES = ("families", "resample")
PER_LABEL = ("labels_added", "labels_dropped")
DIALS = tuple(f.name for f in fields(Dials))


def at(dial: PerLabel, label: str) -> float:
    """Return a dial's value for one label; a label that a table does not name is at 0."""
    return dial.get(label, 0.0) if isinstance(dial, Mapping) else dial


@cache
def load_law() -> Law:
    """Return the constants of the simulated world."""
    constants: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in _file()["law"].items()
    }
    return Law(**constants)


@cache
def presets() -> dict[str, str]:
    """Return what each preset is, in the order of the data file."""
    return {name: entry["description"] for name, entry in _file()["preset"].items()}


def dials_from(parameters: Parameters) -> Dials:
    """Return a preset's dials with those of the request in their place.

    Raises:
        InvalidInputError: An unknown preset or dial, or a value out of its range.
    """
    refuse_unknown(parameters, ("preset", *DIALS), "simulator")
    preset = text(parameters, "preset", DEFAULT_PRESET)
    if preset not in presets():
        raise InvalidInputError(
            f"simulator: no preset {preset!r}; there are: {', '.join(presets())}", field="parameters.preset"
        )
    settings = {name: value for name, value in _file()["preset"][preset].items() if name != "description"}
    settings.update({name: value for name, value in parameters.items() if name != "preset"})
    return Dials(**{name: _checked(name, value) for name, value in settings.items()})


def parameter_schema() -> dict[str, Any]:
    """Return the JSON Schema of the simulator's parameters."""
    dials = {name: {"type": "boolean"} if name in SWITCHES else _number_schema(name) for name in DIALS}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {"preset": {"enum": list(presets()), "default": DEFAULT_PRESET}, **dials},
    }


def _file() -> dict[str, Any]:
    return tomllib.loads(PRESETS_FILE.read_text(encoding="utf-8"))


def _checked(name: str, value: Any) -> Any:
    if name in SWITCHES:
        if not isinstance(value, bool):
            raise InvalidInputError(f"{name} is true or false, not {value!r}", field=f"parameters.{name}")
        return value
    low, high = RANGES.get(name, (0.0, 1.0))
    if name in PER_LABEL and isinstance(value, Mapping):
        return {label: checked_number(share, name, low, high) for label, share in value.items()}
    return checked_number(value, name, low, high)


def _number_schema(name: str) -> dict[str, Any]:
    low, high = RANGES.get(name, (0.0, 1.0))
    schema: dict[str, Any] = {"type": "number", "minimum": low, "maximum": high}
    if name in PER_LABEL:
        return {"anyOf": [schema, {"type": "object", "additionalProperties": schema}]}
    return schema
