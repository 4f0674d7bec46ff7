"""The page of an audit: a few files somebody wants a verdict on."""

from flows.report.formatting import (
    EN_DASH,
    count,
    missing,
    p_value,
    percent,
    plain,
    plural,
    score_name,
    text_or,
    undefined,
)
from flows.report.inputs import AuditedFile, AuditInput, Distance, Example, Reading
from flows.report.lead import audit_lead
from flows.report.page import (
    Block,
    Card,
    Cards,
    Cell,
    Column,
    Comparison,
    Facts,
    Note,
    Page,
    Section,
    Sentence,
    Strip,
    Table,
)
from flows.report.queries import Row
from flows.report.sections.provenance import environment
from flows.report.strips import shared_axis, strip
from flows.report.wording import (
    ON_REAL_DOCUMENTS,
    ON_TRAINING_SETS,
    OVER_FAMILIES,
    file_worth,
    gain_words,
    remarks,
    verdict_words,
)

DISTANCE_COLUMNS = (
    Column("Metric"),
    Column("Value", True),
    Column("Floor: real to real", True),
    Column("Ceiling", True),
    Column("Between the two", True),
    Column("n", True),
)


def page(found: AuditInput) -> Page:
    every = [_row(reading) for entry in found.files for reading in entry.readings]
    axis = shared_axis(every, found.margin)
    sections = (
        Section("facts", "What was audited", (Facts(tuple(found.facts.items())),)),
        _preflight(found),
        *(_file(found, entry, axis, place) for place, entry in enumerate(found.files)),
        environment(found.environment),
    )
    answer = tuple(_answer(entry) for entry in found.files)
    return Page("synthtrial · audit", found.title, _subtitle(found), audit_lead(found), answer, sections)


def _subtitle(found: AuditInput) -> str:
    return f"{plural(len(found.files), 'synthetic file')} against a row twin of the same size, {score_name(found.score)}"


def _answer(entry: AuditedFile) -> Sentence:
    readings = (
        f"{reading.title} is {_verdict(reading)} ({gain_words(reading)}{_condition(reading)})"
        for reading in entry.readings
    )
    sizes = "; ".join(f"{reading.title}: {_sizes(reading)}" for reading in entry.readings)
    said = (*readings, f"{entry.name} {file_worth(entry)}")
    return Sentence(f"verdict of {entry.name}", f"{entry.name}, against its row twin:", sizes, said)


def _verdict(reading: Reading) -> str:
    return f"{reading.verdict} than the twin" if reading.verdict in ("better", "worse") else reading.verdict


def _preflight(found: AuditInput) -> Section:
    rows = tuple(
        (Cell(finding.level, chip=f"level-{finding.level}"), Cell(finding.subject), Cell(finding.text))
        for finding in found.findings
    )
    columns = (Column(""), Column("Subject"), Column("Found"))
    return Section("preflight", "Preflight", (Table("Checked before anything was trained", columns, rows),))


def _file(found: AuditInput, entry: AuditedFile, axis: tuple[float, float], place: int) -> Section:
    together = sum(len(other.readings) for other in found.files)
    cards = Cards(tuple(_card(reading, found.margin, axis, together) for reading in entry.readings))
    blocks: tuple[Block, ...] = (cards, _worth(entry), _distances(entry), _accounts(entry))
    return Section(f"file-{place}", entry.name, (*blocks, *_examples(entry)))


def _worth(entry: AuditedFile) -> Note:
    return Note(f"{entry.name} {file_worth(entry)}.", "lead" if entry.worth else "undefined")


def _card(reading: Reading, margin: float, axis: tuple[float, float], together: int) -> Card:
    """One reading; its p is corrected by one Holm over all readings of all files, `together`."""
    facts = (
        ("Means", f"{plain(reading.treatment_mean)}, control {plain(reading.control_mean)}"),
        ("n", _sizes(reading)),
        (f"Holm p, over {plural(together, 'reading')}", p_value(reading.adjusted_p_value)),
        ("MDE", EN_DASH if missing(reading.mde) else plain(reading.mde)),
    )
    note = "; ".join(part for part in (_given(reading), remarks(reading)) if part)
    drawn: Strip | None = strip(_row(reading), margin, axis)
    verdict = verdict_words(reading.verdict)
    return Card(reading.title, reading.verdict, verdict, gain_words(reading), facts, note, drawn)


def _distances(entry: AuditedFile) -> Table:
    body = tuple(_distance(distance) for distance in entry.distances)
    note = "0 is as close as real text is to real text, 1 is the ceiling. Never clipped."
    return Table("Distance to real text", DISTANCE_COLUMNS, body, note)


def _distance(distance: Distance) -> tuple[Cell, ...]:
    bounds = (
        Cell("not measured" if bound is None else plain(bound, 4))
        for bound in (distance.floor, distance.ceiling)
    )
    if missing(distance.value):
        return (
            Cell(distance.metric),
            Cell(undefined(distance.undefined_reason)),
            *bounds,
            Cell(EN_DASH),
            Cell(EN_DASH),
        )
    reason = text_or(distance.undefined_reason, "floor and ceiling are too close")
    between = undefined(reason) if distance.normalised is None else plain(distance.normalised)
    sizes = Cell(count(distance.sample_count))
    return (Cell(distance.metric), Cell(plain(distance.value, 4)), *bounds, Cell(between), sizes)


def _accounts(entry: AuditedFile) -> Table:
    numbers = (("accepted", entry.accepted), ("rejected", entry.rejected), ("failed", entry.failed))
    totals = [(Cell(word), Cell(count(n), percent(n, entry.requested))) for word, n in numbers]
    reasons = [(Cell(f"rejected: {reason}"), Cell(count(n))) for reason, n in entry.reasons.items()]
    caption = f"Of {plural(entry.requested, 'document')} in the file"
    note = "" if entry.requested == sum(n for _, n in numbers) else "The accounts do not close."
    return Table(caption, (Column("Outcome"), Column("Documents", True)), (*totals, *reasons), note)


def _examples(entry: AuditedFile) -> tuple[Block, ...]:
    if not entry.examples:
        return (Note("Nothing was rejected and nothing leaked: no examples."),)
    return tuple(_example(example) for example in entry.examples[:10])


def _example(example: Example) -> Comparison:
    likeness = "" if example.similarity is None else f" · similarity {plain(example.similarity, 2)}"
    nearest = f"Nearest real document {example.nearest_id}".strip()
    other = text_or(example.nearest_text, "none was looked for")
    return Comparison(
        f"{example.outcome}: {example.reason}{likeness}", "Synthetic", example.text, nearest, other
    )


def _sizes(reading: Reading) -> str:
    return (
        f"{plural(reading.replicate_count, 'replicate')}, {count(reading.test_family_count)} test families, "
        f"{count(reading.synthetic_documents)} synthetic beside {count(reading.real_documents)} real "
        f"documents"
    )


def _condition(reading: Reading) -> str:
    if reading.effect is None:
        return ""
    return f", {ON_TRAINING_SETS if reading.conditional else ON_REAL_DOCUMENTS}"


def _given(reading: Reading) -> str:
    """The condition, where the note does not say it itself."""
    if not reading.conditional or "conditional" in reading.note:
        return ""
    return f"{ON_TRAINING_SETS}: {OVER_FAMILIES}"


def _row(reading: Reading) -> Row:
    return {name: getattr(reading, name) for name in ("effect", "low95", "high95")}
