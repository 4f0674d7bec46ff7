"""Labels that a file keeps as numbers of classes, and the names that its description gives them."""

from collections.abc import Mapping
from typing import Any

from services.domain.errors import InvalidInputError
from services.storage.tabular import Row

UNLABELLED = -1


def class_names(features: Mapping[str, Any], column: str) -> tuple[str, ...]:
    """Return the names of a column's classes in the order of their numbers; empty where it has none.

    Args:
        features: By column, in the package datasets' own form: `{"_type": "ClassLabel", "names":
            [...]}`, or a list of these as `{"_type": "List" or "Sequence", "feature": {...}}`
            or, in old files, `[{...}]`.
    """
    feature = _innermost(features.get(column))
    if not isinstance(feature, Mapping) or feature.get("_type") != "ClassLabel":
        return ()
    return tuple(str(name) for name in feature.get("names") or ())


def with_names(row: Row, column: str, names: tuple[str, ...]) -> Row:
    """Return a row whose classes have their names; a list of classes stays a list.

    Raises:
        InvalidInputError: A number has no name; the message names file and row.
    """
    value = row.values.get(column)
    if value is None:
        return row
    several = value if isinstance(value, list) else [value]
    # A list also of one: a name with a comma in it is no list of names.
    return Row(row.place, {**row.values, column: [_name(row, column, names, item) for item in several]})


def _innermost(feature: Any) -> Any:
    if isinstance(feature, list) and feature:
        return _innermost(feature[0])
    if isinstance(feature, Mapping) and "feature" in feature:
        return _innermost(feature["feature"])
    return feature


def _name(row: Row, column: str, names: tuple[str, ...], value: Any) -> str:
    if isinstance(value, str) and value in names:
        return value
    if value == UNLABELLED:
        raise InvalidInputError(
            f"{row.place}: column {column!r} holds -1, which says that the document has no label; "
            "choose the splits that are labelled",
            field="split",
        )
    if isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    raise InvalidInputError(
        f"{row.place}: column {column!r} holds {value!r}, but its {len(names)} classes are numbered from 0",
        field="labels",
    )
