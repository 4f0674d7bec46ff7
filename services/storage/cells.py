"""Single cells of a file: strings, label sets in their several forms, zeros and ones."""

import json
import math
from collections.abc import Sequence
from typing import Any

from services.domain.errors import InvalidInputError
from services.storage.tabular import Row

FLAGS = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}


def text_cell(row: Row, column: str) -> str:
    """Return a cell as a string; empty where there is no column or no value.

    Raises:
        InvalidInputError: It holds a list or a table, or what is no text; the message names file and line.
    """
    value = row.values.get(column) if column else None
    if _is_missing(value):
        return ""
    if isinstance(value, list | dict):
        raise InvalidInputError(
            f"{row.place}: column {column!r} holds a {type(value).__name__} where a string is needed",
            field="path",
        )
    return _text(row, column, value)


def label_cells(row: Row, columns: Sequence[str], separator: str) -> tuple[str, ...]:
    """Return a row's labels without repetition.

    Args:
        columns: One with a list or with joined names, or several with 0 or 1.
        separator: Between joined names; empty where the string is one label.

    Raises:
        InvalidInputError: A list is malformed or holds lists, or a 0/1 column holds something else.
    """
    if len(columns) > 1:
        return tuple(name for name in columns if _flag_at(row, name))
    column = columns[0]
    cells = _names(row, column, row.values.get(column), separator)
    names = (_text(row, column, cell).strip() for cell in cells if not _is_missing(cell))
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


def _is_missing(value: Any) -> bool:
    # What pandas writes as NaN is a cell without a value, and no word.
    return value is None or (isinstance(value, float) and math.isnan(value))


def _text(row: Row, column: str, value: Any) -> str:
    text = str(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidInputError(
                f"{row.place}: column {column!r} holds {text[error.start]!a}, half of a character, which no file "
                "can hold; write the text again as UTF-8",
                field="path",
            ) from None
    return text


def _names(row: Row, column: str, value: Any, separator: str) -> Sequence[Any]:
    if _is_missing(value):
        return ()
    inside = [value] if isinstance(value, dict) else value if isinstance(value, list) else ()
    strange = [one for one in inside if isinstance(one, list | dict)]
    if strange:
        raise InvalidInputError(
            f"{row.place}: labels column {column!r} holds a {type(strange[0]).__name__} where a name or a list of "
            "names is needed",
            field="path",
        )
    if isinstance(value, list):
        return value
    text = str(value)
    if not is_json_list(text):
        return text.split(separator) if separator else (text,)
    try:
        return list(json.loads(text))
    except ValueError as error:
        raise InvalidInputError(f"{row.place}: malformed list of labels: {error}", field="path") from None
