"""Designs and profiles as somebody wrote them: TOML files, and what is wrong with one in words."""

import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from flows.shipped import shipped_names
from services.domain.errors import InvalidInputError, NotFoundError
from services.domain.nearness import did_you_mean


def read_toml(folder: str, name: str) -> dict[str, Any]:
    """Return the values of a file.

    Args:
        folder: "designs" or "profiles".
        name: Of one that is shipped, or the path of a file.

    Raises:
        NotFoundError: There is neither.
        InvalidInputError: It is not TOML, or not text.
    """
    shipped = resources.files("flows") / folder / f"{name}.toml"
    path = Path(name)
    if name.endswith(".toml") and path.is_file():
        data = path.read_bytes()
    elif shipped.is_file():
        data = shipped.read_bytes()
    else:
        known = shipped_names(folder)
        raise NotFoundError(
            f"no {folder[:-1]} {name!r}: there are {', '.join(known)}, or give the path of a .toml file"
            f"{did_you_mean(name, known)}",
            name=name,
        )
    try:
        # Some editors put a mark in front, which TOML knows nothing of.
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InvalidInputError(
            f"{name}:{line}: not UTF-8 (byte {error.start}); save or convert the file as UTF-8",
            field=folder[:-1],
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidInputError(f"{name} is not TOML: {error}", field=folder[:-1]) from None


def checked(model: type[BaseModel], values: dict[str, Any], name: str) -> dict[str, Any]:
    """Return values if a model takes them.

    Raises:
        InvalidInputError: The first key or value that it does not take, and what it would.
    """
    try:
        model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        place = first["loc"]
        field = ".".join(str(part) for part in place)
        said = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            said = _unknown(str(place[-1]), _model_at(model, place[:-1]))
        raise InvalidInputError(f"{name}: {f'{field}: ' if field else ''}{said}", field=field) from None
    return values


def _unknown(key: str, model: type[BaseModel]) -> str:
    known = sorted(model.model_fields)
    return f"there is no such key; known keys: {', '.join(known)}{did_you_mean(key, known)}"


def _model_at(model: type[BaseModel], place: Sequence[int | str]) -> type[BaseModel]:
    """Return the model whose keys stand at a place, such as that of one generator of several."""
    for part in place:
        inner = _models(model.model_fields[part].annotation) if part in model.model_fields else ()
        model = inner[0] if inner else model
    return model


def _models(annotation: Any) -> tuple[type[BaseModel], ...]:
    """Return the models that a field's type holds: itself, or those in its lists, tables and choices."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    return tuple(found for part in get_args(annotation) for found in _models(part))
