"""Parameters of families: frozen dataclasses that are read from JSON and describe themselves."""

import sys
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, fields
from typing import Any, ClassVar, Protocol, TypeVar, get_type_hints

from services.domain.errors import InvalidInputError

JSON_TYPES: Mapping[type, str] = types.MappingProxyType(
    {bool: "boolean", int: "integer", float: "number", str: "string"}
)


class Parameters(Protocol):
    """A frozen dataclass of bool, int, float and str fields, each with a default.

    Its `__post_init__` raises InvalidInputError for values out of range.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


P = TypeVar("P", bound=Parameters)


def read_parameters(model: type[P], given: Mapping[str, Any], family: str) -> P:
    """Return parameters from a request.

    Raises:
        InvalidInputError: An unknown name, a wrong type or a value out of range.
    """
    hints = get_type_hints(model)
    known = {f.name: hints[f.name] for f in fields(model)}
    for name, value in given.items():
        if name not in known:
            raise InvalidInputError(
                f"{family} has no parameter {name!r}; it has: {', '.join(sorted(known))}",
                field=f"parameters.{name}",
            )
        _check_type(name, value, known[name], family)
    return model(**{name: known[name](value) for name, value in given.items()})


def parameter_values(parameters: Parameters) -> dict[str, Any]:
    """Return all parameters, defaults included, ready for JSON."""
    return asdict(parameters)


def parameters_schema(model: type[Parameters]) -> dict[str, Any]:
    """Return the JSON Schema of a parameter model."""
    hints = get_type_hints(model)
    properties = {
        f.name: {"type": JSON_TYPES[hints[f.name]]} | ({} if f.default is MISSING else {"default": f.default})
        for f in fields(model)
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def require_positive(name: str, value: float) -> None:
    """Raise InvalidInputError unless a parameter is above zero."""
    if not value > 0:
        raise InvalidInputError(f"{name} has to be above 0, not {value}", field=f"parameters.{name}")


def require_not_negative(name: str, value: float) -> None:
    """Raise InvalidInputError unless a parameter is zero or above."""
    if not value >= 0:
        raise InvalidInputError(f"{name} has to be 0 or above, not {value}", field=f"parameters.{name}")


def require_between(name: str, value: float, low: float, high: float) -> None:
    """Raise InvalidInputError unless a parameter lies between two positive values or is one of them."""
    if not low <= value <= high:
        raise InvalidInputError(
            f"{name} has to be above 0, from {low:g} to {high:g}, not {value:g}", field=f"parameters.{name}"
        )


def _check_type(name: str, value: Any, wanted: type, family: str) -> None:
    numeric = wanted is float and isinstance(value, int | float) and not isinstance(value, bool)
    exact = type(value) is wanted
    if not (numeric or exact):
        raise InvalidInputError(
            f"{family}: parameter {name!r} is {JSON_TYPES[wanted]}, not {value!r}", field=f"parameters.{name}"
        )
    # JSON's own numbers are finite, but Python reads 1e400 and Infinity as well.
    if numeric and abs(value) > sys.float_info.max:
        raise InvalidInputError(
            f"{family}: parameter {name!r} is a finite number, not {str(value)[:20]}",
            field=f"parameters.{name}",
        )
