"""Which columns of a file hold what: given, or guessed and shown."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from services.domain.errors import InvalidInputError
from services.storage.cells import flag, is_json_list, label_cells, text_cell
from services.storage.tabular import RowTable

# By preference.
NAMES: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "document", "content", "abstract", "sentence", "body", "review", "title"),
    "labels": (
        "labels",
        "label",
        "label_set",
        "classes",
        "class",
        "category",
        "categories",
        "target",
        "tags",
    ),
    "id": ("id", "doc_id", "document_id", "uid", "publication_number", "publication number"),
    "family": ("family", "family_id", "group", "cluster"),
    "split": ("split", "fold", "subset"),
    "source": ("source_id", "source", "seed_doc_id", "parent_id", "original_id"),
}
SEPARATORS = ("|", ";", ",")
LOOKED_AT = 200
# The mean length that tells prose from codes.
PROSE_CHARACTERS = 20


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what; empty where there is none.

    Attributes:
        labels: One column with lists or joined names, or several 0/1 columns named like labels.
        separator: Between names in one string; empty where the string is one label.
        guessed: The roles nobody gave.
    """

    text: str
    labels: tuple[str, ...]
    id: str = ""
    family: str = ""
    split: str = ""
    source: str = ""
    separator: str = ""
    guessed: tuple[str, ...] = ()


class Record(NamedTuple):
    """A row in the study's words; `id`, `family`, `split` and `source` are empty where there are none."""

    place: str
    id: str
    text: str
    labels: tuple[str, ...]
    family: str
    split: str
    source: str


def find_columns(table: RowTable, given: Mapping[str, Any] | None = None) -> Columns:
    """Return the columns of a file, guessing by name and content what is not given.

    Args:
        given: Column names by role: text, labels (a name or several), id, family, split, source,
            and the separator. "" says that there is no such column.

    Raises:
        InvalidInputError: A role or column is unknown, or text or labels cannot be guessed.
    """
    given = given or {}
    _check_given(table, given)
    roles = ("id", "family", "split", "source")
    guesses: dict[str, Any] = {role: str(given.get(role, _named(table, role))) for role in roles}
    text = str(given.get("text", "")) or _text_column(table)
    labels = _names(given.get("labels")) or _label_columns(table, {text, *guesses.values()})
    columns = Columns(text, labels, **guesses)
    separator = given.get("separator", _separator(table, columns))
    guessed = ("text", "labels", *guesses, "separator")
    return replace(
        columns,
        separator=str(separator),
        guessed=tuple(r for r in guessed if r not in given and getattr(columns, r, separator)),
    )


def records(table: RowTable, columns: Columns) -> tuple[Record, ...]:
    """Return the rows of a file; what is missing in a row is empty.

    Raises:
        InvalidInputError: A value is of a kind that cannot be read; the message names file and line.
    """
    return tuple(
        Record(
            row.place,
            text_cell(row, columns.id),
            text_cell(row, columns.text),
            label_cells(row, columns.labels, columns.separator),
            text_cell(row, columns.family),
            text_cell(row, columns.split),
            text_cell(row, columns.source),
        )
        for row in table.rows
    )


def _check_given(table: RowTable, given: Mapping[str, Any]) -> None:
    for role, value in given.items():
        if role not in (*NAMES, "separator"):
            raise InvalidInputError(
                f"a file has no role {role!r}; there are: {', '.join(NAMES)}, separator",
                field=f"columns.{role}",
            )
        for name in () if role == "separator" else _names(value):
            if name not in table.columns:
                raise InvalidInputError(
                    f"{table.name} has no column {name!r}; it has: {', '.join(table.columns)}",
                    field=f"columns.{role}",
                )


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(str(name) for name in value or ())


def _named(table: RowTable, role: str) -> str:
    by_name = {column.strip().lower(): column for column in table.columns}
    return next((by_name[name] for name in NAMES[role] if name in by_name), "")


def _text_column(table: RowTable) -> str:
    named = _named(table, "text")
    if named:
        return named
    lengths = {column: _mean_length(table, column) for column in table.columns}
    longest = max(lengths, key=lambda column: lengths[column])
    if lengths[longest] < PROSE_CHARACTERS:
        raise InvalidInputError(
            f"{table.name}: cannot tell which column holds the text; name it (columns: {', '.join(table.columns)})",
            field="columns.text",
        )
    return longest


def _label_columns(table: RowTable, taken: set[str]) -> tuple[str, ...]:
    named = _named(table, "labels")
    if named:
        return (named,)
    flags = tuple(c for c in table.columns if c not in taken and _is_flag(table, c))
    if len(flags) > 1:
        return flags
    raise InvalidInputError(
        f"{table.name}: cannot tell which column holds the labels; name it, or several 0/1 columns "
        f"(columns: {', '.join(table.columns)})",
        field="columns.labels",
    )


def _is_flag(table: RowTable, column: str) -> bool:
    values = [row.values.get(column) for row in table.rows]
    return all(flag(value) is not None for value in values)


def _mean_length(table: RowTable, column: str) -> float:
    values = [row.values.get(column) for row in table.rows[:LOOKED_AT]]
    return sum(len(value) for value in values if isinstance(value, str)) / len(values)


def _separator(table: RowTable, columns: Columns) -> str:
    if len(columns.labels) != 1:
        return ""
    cells = [row.values.get(columns.labels[0]) for row in table.rows]
    strings = {cell for cell in cells if isinstance(cell, str) and not is_json_list(cell)}
    for separator in SEPARATORS:
        if any(separator in cell for cell in strings) and _joins(separator, strings):
            return separator
    return ""


def _joins(separator: str, cells: set[str]) -> bool:
    """Return whether a separator splits cells into names that recur, as joined labels do.

    A comma within a label's name splits it into parts that occur with this label only.
    """
    joined = [[part.strip() for part in cell.split(separator)] for cell in cells]
    names = [name for parts in joined for name in dict.fromkeys(parts)]
    return len(names) > len(set(names))
