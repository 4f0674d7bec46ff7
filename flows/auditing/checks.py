"""What must hold of the real files before they are corpora."""

from collections import Counter
from collections.abc import Collection, Iterable

from flows.auditing.records import Table, Tables
from services.domain.errors import InvalidInputError
from services.evaluator.planning import Rules

MAXIMUM_FILES = Rules().maximum_claims
# One document of a label cannot be both trained on and tested.
LEAST_LABEL_DOCUMENTS = 2
SHOWN_CHARACTERS = 60


def require_few_files(names: Collection[str]) -> None:
    """Raise InvalidInputError for more files than one page may make claims about."""
    if len(names) > MAXIMUM_FILES:
        raise InvalidInputError(
            f"{len(names)} synthetic files; every file is a claim, and an audit corrects at most "
            f"{MAXIMUM_FILES} of them together: give the {MAXIMUM_FILES} files that matter most",
            field="synthetic",
        )


def require_documents(table: Table) -> None:
    """Raise InvalidInputError unless a real table holds documents, each with text and labels."""
    if not table.records:
        raise InvalidInputError(
            f"{table.name} holds no documents; give a file with at least one", field="documents"
        )
    for record in table.records:
        if not (record.text or "").strip():
            raise InvalidInputError(
                f"{record.place}: document {record.id!r} has no text (column {table.columns.text!r}); "
                "remove the row or name another column with --text-column",
                field="text",
            )
        if not record.labels:
            raise InvalidInputError(
                f"{record.place}: document {record.id!r} has no labels (column "
                f"{', '.join(table.columns.labels[:3])!r}); "
                "remove the row or name another column with --labels-column",
                field="labels",
            )
    _require_distinct(table)


def require_several_rows(table: Table) -> None:
    """Raise InvalidInputError where the real documents are one: nothing can be learned from it."""
    if len(table.records) == 1:
        raise InvalidInputError(
            f"{table.name} has one row, and an audit trains on the real documents: give at least "
            f"{LEAST_LABEL_DOCUMENTS} of every label; the preflight then says how many a verdict takes",
            field="documents",
        )


def require_common_labels(tables: Tables) -> None:
    """Raise InvalidInputError where a file shares no label with the real documents."""
    real = _names(tables.real)
    if tables.test is not None:
        _require_common(tables.real.name, real, tables.test)
        real |= _names(tables.test)
    for table in tables.synthetic.values():
        _require_common("the real documents", real, table)


def require_several_labels(tables: Tables) -> None:
    """Raise InvalidInputError where all real documents have the same labels: every model would be right."""
    known = {frozenset(r.labels) for t in (tables.real, tables.test) if t for r in t.records}
    if len(known) == 1:
        raise InvalidInputError(
            f"all documents of {tables.real.name} have the same labels, {_some(*known)}, so that nothing is to be told "
            "apart and every score would be 1; give documents with different labels, or name another column with "
            "--labels-column",
            field="labels",
        )


def _require_common(known_name: str, known: set[str], table: Table) -> None:
    found = _names(table)
    if found and not known & found:
        raise InvalidInputError(
            f"no label of {table.name} is a label of {known_name}: it has {_some(found)}, they have "
            f"{_some(known)}; check the labels column and the separator (--labels-column, --label-separator)",
            field="labels",
        )


def _require_distinct(table: Table) -> None:
    counts = Counter(record.id for record in table.records)
    identifier, count = counts.most_common(1)[0]
    if count == 1:
        return
    places = [record.place for record in table.records if record.id == identifier]
    raise InvalidInputError(
        f"{table.name}: {sum(n > 1 for n in counts.values())} document ids occur more than once, for example "
        f"{identifier!r} at {places[0]} and {places[1]}; make them distinct or name another --id-column",
        field="id",
    )


def _names(table: Table) -> set[str]:
    return {name for record in table.records for name in record.labels}


def _short(name: str) -> str:
    return repr(name if len(name) <= SHOWN_CHARACTERS else f"{name[:SHOWN_CHARACTERS]}…")


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(map(_short, ordered[:3])) + (f" and {len(ordered) - 3} more" if len(ordered) > 3 else "")
