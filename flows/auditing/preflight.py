"""What can be said about the files before anything is trained."""

from collections.abc import Iterator

from flows.auditing.checks import require_few_files
from flows.auditing.corpora import Corpora, label_counts
from flows.auditing.forecast import Forecast
from flows.auditing.options import AuditOptions
from flows.auditing.preflight_files import SHOWN_LABELS, file_findings
from flows.auditing.records import Table, Tables
from flows.families import duplicate_groups
from flows.report.formatting import plural
from flows.report.inputs import Finding
from services.domain.document import Document
from services.domain.task import TaskType


def preflight(
    tables: Tables, corpora: Corpora, expected: Forecast, options: AuditOptions
) -> tuple[Finding, ...]:
    """Return the findings in reading order: what was read, what is wrong with it, what will be run.

    Raises:
        InvalidInputError: There are more files than one audit may make claims about.
    """
    require_few_files(tables.synthetic)
    return (
        *_columns(tables),
        *_labels(corpora),
        *_families(tables, corpora),
        *_overlap_with_test(corpora),
        *file_findings(tables, corpora),
        *_test(tables, corpora, options),
        *_plan(corpora, expected, options),
    )


def _columns(tables: Tables) -> Iterator[Finding]:
    for table in filter(None, (tables.real, tables.test, *tables.synthetic.values())):
        yield Finding("ok", "columns", f"{table.name}: {len(table.records):,} rows; {_described(table)}")


def _described(table: Table) -> str:
    columns = table.columns
    labels = ", ".join(columns.labels[:SHOWN_LABELS]) + (" …" if len(columns.labels) > SHOWN_LABELS else "")
    named = {
        "text": columns.text,
        "labels": labels,
        "separator": columns.separator,
        "id": columns.id,
        "family": columns.family,
        "source": columns.source,
    }
    return ", ".join(
        f"{role} = {name!r}{' (guessed)' if role in columns.guessed else ''}"
        for role, name in named.items()
        if name
    )


def _labels(corpora: Corpora) -> Iterator[Finding]:
    task = corpora.task
    counts = label_counts(corpora.real)
    kind = "multi-label" if task.type is TaskType.MULTI_LABEL else "single-label"
    common = sorted(counts, key=lambda name: (-counts[name], name))
    shown = ", ".join(f"{name} {counts[name]:,}" for name in common[:SHOWN_LABELS])
    more = f", and {len(common) - SHOWN_LABELS} more" if len(common) > SHOWN_LABELS else ""
    per_document = corpora.real.indicator.sum() / len(corpora.real)
    yield Finding(
        "ok",
        "labels",
        f"{kind} task (guessed from the real documents), {len(task.labels)} labels, "
        f"{per_document:.2f} per document: {shown}{more}",
    )
    rare = [name for name in common if counts[name] < 2]
    if rare:
        text = f"{len(rare)} labels have fewer than 2 real documents to learn from: {_listed(rare)}"
        yield Finding("warning", "labels", text)
    if corpora.rare_labels:
        yield _left_out(corpora)


def _left_out(corpora: Corpora) -> Finding:
    lost = len(corpora.unlabelled)
    text = (
        f"{len(corpora.rare_labels)} labels have a single real document, train and test together, which "
        f"cannot be both trained on and tested; they are left out of the task: "
        f"{_listed(list(corpora.rare_labels))}"
    )
    return Finding("warning", "labels", f"{text}; {lost:,} documents have no other label and go with them")


def _families(tables: Tables, corpora: Corpora) -> Iterator[Finding]:
    documents = corpora.known_real
    groups = duplicate_groups(document.text for document in documents)
    named = bool(tables.real.columns.family)
    families = len(set(corpora.real.families))
    how = (
        "from the family column and equal texts"
        if named
        else "from equal texts, there being no family column"
    )
    yield Finding(
        "ok", "families", f"{families:,} families among {len(corpora.real):,} real documents, {how}"
    )
    if groups:
        copies = sum(map(len, groups.values()))
        yield Finding(
            "note",
            "duplicates",
            f"{copies:,} real documents share their text with another one ({len(groups):,} groups, case "
            "and white space aside); a group is never split",
        )
    clashing = sum(_labels_differ([documents[i] for i in rows]) for rows in groups.values())
    if clashing:
        yield Finding(
            "warning", "duplicates", f"{clashing:,} of these groups hold the same text with different labels"
        )


def _labels_differ(documents: list[Document]) -> bool:
    return len({frozenset(document.labels) for document in documents}) > 1


def _overlap_with_test(corpora: Corpora) -> Iterator[Finding]:
    if corpora.test is None:
        return
    left_out = len(corpora.overlapping)
    if not left_out:
        yield Finding("ok", "overlap", "real and test files share no family")
        return
    yield Finding(
        "warning",
        "overlap",
        f"{left_out:,} real documents belong to a family of the test file; they are left out of training, "
        "so that no test document is known beforehand",
    )


def _test(tables: Tables, corpora: Corpora, options: AuditOptions) -> Iterator[Finding]:
    tested = corpora.tested
    families = len(set(tested.families))
    if corpora.test is None:
        yield Finding(
            "note",
            "test",
            f"no test file: {options.folds}-fold cross-fitting by family tests every real document once, "
            "and what was written from a fold's documents is removed with the fold",
        )
    if tables.test_of_split:
        text = f"the rows of {tables.real.name} whose {tables.real.columns.split!r} is 'test' are the test"
        yield Finding("note", "test", text)
    size = f"{len(tested):,} test documents in {families:,} families"
    if families < options.minimum_families:
        yield Finding(
            "warning",
            "test",
            f"{size}: too few for a verdict, which takes {options.minimum_families} families",
        )
    elif families < options.full_test:
        yield Finding("warning", "test", f"{size}: a small test, verdicts say so")
    else:
        yield Finding("ok", "test", size)
    if corpora.test is not None:
        unseen = [n for n, c in label_counts(corpora.real).items() if not c]
        if unseen:
            yield Finding(
                "warning", "test", f"{len(unseen)} labels are only in the test file: {_listed(unseen)}"
            )


def _plan(corpora: Corpora, expected: Forecast, options: AuditOptions) -> Iterator[Finding]:
    if expected.detectable is not None:
        yield Finding(
            "ok",
            "power",
            f"differences of about {expected.detectable:.3f} micro-F1 or more will be found with power .80 "
            f"(a formula: arms that decide three documents in a hundred differently, {options.replicates} "
            f"replicates, Holm over both readings of {plural(len(corpora.files), 'file')}; no pilot was run)",
        )
    time = "" if expected.seconds is None else f", in about {_duration(expected.seconds)}"
    yield Finding(
        "ok",
        "run",
        f"{options.family}, {options.replicates} replicates, {expected.fits:,} models to fit{time}",
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN_LABELS]) + (" …" if len(names) > SHOWN_LABELS else "")
