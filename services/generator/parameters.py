"""Checking the parameters a request names."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.domain.errors import InvalidInputError

Json = Any
Parameters = Mapping[str, Json]


def refuse_unknown(parameters: Parameters, known: Iterable[str], backend: str) -> None:
    """Check that a backend knows every parameter.

    Raises:
        InvalidInputError: It does not; the message lists those it knows.
    """
    names = sorted(known)
    for name in parameters:
        if name not in names:
            raise InvalidInputError(
                f"backend {backend!r} has no parameter {name!r}; it knows: {', '.join(names) or 'none'}",
                field=f"parameters.{name}",
            )


def number(parameters: Parameters, name: str, default: float, low: float, high: float) -> float:
    """Return a number within [low, high].

    Raises:
        InvalidInputError: It is something else.
    """
    return checked_number(parameters.get(name, default), name, low, high)


def checked_number(value: Json, name: str, low: float, high: float) -> float:
    """Return a value that is a number within [low, high].

    Raises:
        InvalidInputError: It is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InvalidInputError(
            f"{name} is a number from {low:g} to {high:g}, not {value!r}", field=f"parameters.{name}"
        )
    return float(value)


def text(parameters: Parameters, name: str, default: str) -> str:
    """Return a string.

    Raises:
        InvalidInputError: It is something else.
    """
    value = parameters.get(name, default)
    if not isinstance(value, str):
        raise InvalidInputError(f"{name} is a string, not {value!r}", field=f"parameters.{name}")
    return value


def text_table(parameters: Parameters, name: str, keys: Iterable[str]) -> Mapping[str, str]:
    """Return a table of strings that are not empty.

    Raises:
        InvalidInputError: It is something else, or names a key that is not among `keys`.
    """
    table = _table(parameters, name, keys)
    for key, value in table.items():
        if not isinstance(value, str) or not value.strip():
            raise InvalidInputError(
                f"{name}: {key!r} needs a text, not {value!r}", field=f"parameters.{name}"
            )
    return table


def texts_table(parameters: Parameters, name: str, keys: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return a table of lists of strings; neither lists nor strings are empty.

    Raises:
        InvalidInputError: It is something else, or names a key that is not among `keys`.
    """
    table = _table(parameters, name, keys)
    for key, values in table.items():
        if not isinstance(values, list | tuple) or not values or not all(_is_text(value) for value in values):
            raise InvalidInputError(
                f"{name}: {key!r} needs a list of texts, not {values!r}", field=f"parameters.{name}"
            )
    return {key: tuple(values) for key, values in table.items()}


def _table(parameters: Parameters, name: str, keys: Iterable[str]) -> Mapping[str, Json]:
    value = parameters.get(name, {})
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"{name} is a table, not {value!r}", field=f"parameters.{name}")
    known = frozenset(keys)
    for key in value:
        if key not in known:
            raise InvalidInputError(
                f"{name} names {key!r}, which is not among the {len(known)} labels of the task",
                field=f"parameters.{name}",
            )
    return value


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and bool(value.strip())
