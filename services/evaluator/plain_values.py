"""Dataclasses as plain values and back: what worker processes take and messages are made of.

A message and a dataclass that stand for each other have the same fields by name, so
`Message(**asdict(value))` writes one and `built(Kind, plain(message))` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Kind = TypeVar("Kind")


def plain(message: Any) -> dict[str, Any]:
    """Return a protocol buffer's message as a dict, field by field.

    What was not set and could have been is None. Fields that are maps are not known here.
    """
    return {
        field.name: _plain_value(getattr(message, field.name))
        if not field.has_presence or message.HasField(field.name)
        else None
        for field in message.DESCRIPTOR.fields
    }


def built(kind: type[Kind], value: Mapping[str, Any]) -> Kind:
    """Return the dataclass that `asdict` turned into `value`, lists for tuples allowed."""
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: _built_value(hints[name], value[name]) for name in names})


def _plain_value(value: Any) -> Any:
    if hasattr(value, "DESCRIPTOR"):
        return plain(value)
    if isinstance(value, str | float | int):
        return value
    return [_plain_value(one) for one in value]


def _built_value(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if get_origin(hint) is tuple:
        return tuple(_built_value(get_args(hint)[0], one) for one in value)
    nested = next((option for option in get_args(hint) or (hint,) if is_dataclass(option)), None)
    return built(nested, value) if isinstance(nested, type) else value
