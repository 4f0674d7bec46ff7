"""Single cells of a file: strings, label sets in their several forms, zeros and ones."""

import json
from collections.abc import Sequence
from typing import Any

from services.domain.errors import InvalidInputError
from services.storage.tabular import Row

FLAGS = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}


def text_cell(row: Row, column: str) -> str:
    """Return a cell as a string; empty where there is no column or no value.

    Raises:
        InvalidInputError: It holds a list or a table; the message names file and line.
    """
    value = row.values.get(column) if column else None
    if value is None:
        return ""
    if isinstance(value, list | dict):
        raise InvalidInputError(
            f"{row.place}: column {column!r} holds a {type(value).__name__} where a string is needed",
            field="path",
        )
    return str(value)


def label_cells(row: Row, columns: Sequence[str], separator: str) -> tuple[str, ...]:
    """Return a row's labels without repetition.

    Args:
        columns: One with a list or with joined names, or several with 0 or 1.
        separator: Between joined names; empty where the string is one label.

    Raises:
        InvalidInputError: A list is malformed, or a 0/1 column holds something else.
    """
    if len(columns) > 1:
        return tuple(name for name in columns if _flag_at(row, name))
    names = (str(name).strip() for name in _names(row, row.values.get(columns[0]), separator))
    return tuple(dict.fromkeys(name for name in names if name))


def flag(value: Any) -> bool | None:
    """Return what a 0/1 cell says, None for any other cell."""
    if value is None or isinstance(value, list | dict):
        return None
    return FLAGS.get(str(value).strip().lower())


def is_json_list(cell: str) -> bool:
    """Return whether a string looks like a JSON list."""
    return cell.lstrip().startswith("[") and cell.rstrip().endswith("]")


def _flag_at(row: Row, column: str) -> bool:
    value = flag(row.values.get(column))
    if value is None:
        raise InvalidInputError(
            f"{row.place}: label column {column!r} holds {row.values.get(column)!r} where 0 or 1 is needed",
            field="path",
        )
    return value


def _names(row: Row, value: Any, separator: str) -> Sequence[Any]:
    if value is None:
        return ()
    if isinstance(value, list):
        return value
    text = str(value)
    if not is_json_list(text):
        return text.split(separator) if separator else (text,)
    try:
        return list(json.loads(text))
    except ValueError as error:
        raise InvalidInputError(f"{row.place}: malformed list of labels: {error}", field="path") from None
