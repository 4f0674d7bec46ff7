"""What of a synthetic file can be said before anything is trained."""

from collections import Counter
from collections.abc import Iterator

from flows.auditing.corpora import Corpora
from flows.auditing.records import Record, Table, Tables
from flows.auditing.written import OUTSIDE, SyntheticFile
from flows.families import text_key
from flows.report.formatting import plural
from flows.report.inputs import Finding
from services.domain.nearness import nearest

SHOWN_LABELS = 6


def file_findings(tables: Tables, corpora: Corpora) -> Iterator[Finding]:
    """Yield what was found of every synthetic file, file by file."""
    real = {text_key(document.text) for document in corpora.known_real}
    tested = {text_key(text) for text in corpora.test.texts} if corpora.test else set()
    for file in corpora.files:
        yield from _unknown_labels(tables.synthetic[file.name], file, corpora)
        yield _overlap(file, real, tested)
        yield _sources(file)


def _unknown_labels(table: Table, file: SyntheticFile, corpora: Corpora) -> Iterator[Finding]:
    """Say which labels no real document has; screening rejects a row for one of them, whatever its others."""
    rejected = sum(row.reason == OUTSIDE for row in file.discarded)
    if not rejected:
        return
    known = {*corpora.task.labels, *corpora.rare_labels}
    counts = Counter(name for record in table.records if _has_text(record) for name in record.labels)
    strange = sorted((name for name in counts if name not in known), key=lambda name: (-counts[name], name))
    shown = ", ".join(_shown(name, counts[name], corpora) for name in strange[:SHOWN_LABELS])
    more = f" and {len(strange) - SHOWN_LABELS} more" if len(strange) > SHOWN_LABELS else ""
    yield Finding(
        "warning",
        "labels",
        f"{file.name}: {plural(len(strange), 'label')} that no real document has: {shown}{more}; "
        f"{rejected:,} of {file.row_count:,} rows have one and will be rejected ({OUTSIDE}), whatever "
        "other labels they have",
    )


def _has_text(record: Record) -> bool:
    return bool((record.text or "").strip())


def _shown(name: str, count: int, corpora: Corpora) -> str:
    near = nearest(name, corpora.task.labels)
    meant = f"; did you mean {near!r}?" if near else ""
    return f"{name!r} ({plural(count, 'row')}{meant})"


def _overlap(file: SyntheticFile, real: set[str], tested: set[str]) -> Finding:
    keys = [text_key(document.text) for document in file.candidates]
    of_real, of_test = sum(k in real for k in keys), sum(k in tested for k in keys)
    text = f"{file.name}: {of_real:,} rows equal a real document and {of_test:,} a test document"
    if of_real or of_test:
        return Finding("warning", "overlap", f"{text}; they will be rejected")
    return Finding("ok", "overlap", text)


def _sources(file: SyntheticFile) -> Finding:
    if file.sourced:
        text = f"{file.name}: {file.sourced:,} of {len(file.candidates):,} rows name the real document they come from"
        return Finding("ok", "sources", text)
    return Finding(
        "note",
        "sources",
        f"{file.name}: no row names the real document it was written from (--source-column), so its writer may "
        "know every real document, also those that a replicate leaves out",
    )
