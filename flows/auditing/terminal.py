"""An audit in the terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from flows.auditing.cards import size_words
from flows.report.formatting import count, plain
from flows.report.inputs import AuditedFile, AuditInput, Finding, Reading
from flows.report.lead import audit_lead
from flows.report.wording import file_worth, gain_words, remarks, verdict_words

MARKS = {"ok": "[green]✓[/]", "note": "[blue]·[/]", "warning": "[yellow]![/]"}
STYLES = {"better": "bold blue", "worse": "bold red", "equivalent": "bold green", "negligible": "bold green"}
SHOWN_EXAMPLES = 3
SHOWN_CHARACTERS = 160

Advance = Callable[[str, int, int], None]


def print_findings(console: Console, findings: tuple[Finding, ...]) -> None:
    """Print the preflight."""
    grid = Table.grid(padding=(0, 1))
    for finding in findings:
        grid.add_row(
            MARKS.get(finding.level, " "), f"[bold]{escape(finding.subject)}[/]", escape(finding.text)
        )
    console.print("[bold]Preflight[/]")
    console.print(grid)


def print_files(console: Console, found: AuditInput) -> None:
    """Print the answer in one line, then verdicts, worths, distances and accounts of all files."""
    console.print(f"[bold]{escape(audit_lead(found).text)}[/]", highlight=False)
    for entry in found.files:
        console.rule(f"[bold]{escape(entry.name)}", align="left")
        for reading in entry.readings:
            _print_reading(console, reading)
        console.print(f"[bold]worth[/] {escape(entry.name)} {escape(file_worth(entry))}.")
        _print_distances(console, entry)
        _print_accounts(console, entry)


@contextmanager
def progress_bar(console: Console) -> Iterator[Advance]:
    """Yield a function that says how much of an activity is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def advance(activity: str, done: int, total: int) -> None:
            bar.update(task, description=activity, completed=done, total=total or None)

        yield advance


def _print_reading(console: Console, reading: Reading) -> None:
    style = STYLES.get(reading.verdict, "bold")
    console.print(f"[bold]{escape(reading.title)}[/]: [{style}]{escape(verdict_words(reading.verdict))}[/]")
    console.print(f"  {escape(gain_words(reading))}; {escape(size_words(reading))}", highlight=False)
    if remarks(reading):
        console.print(f"  [dim]{escape(remarks(reading))}[/]", highlight=False)


def _print_distances(console: Console, entry: AuditedFile) -> None:
    for distance in entry.distances:
        if distance.value is None:
            text = f"undefined: {distance.undefined_reason}"
        else:
            bounds = f"floor {plain(distance.floor, 4)}, ceiling {plain(distance.ceiling, 4)}"
            text = f"{plain(distance.value, 4)} ({bounds}, n = {count(distance.sample_count)})"
        console.print(f"[bold]{escape(distance.metric)}[/] to real text: {escape(text)}", highlight=False)


def _print_accounts(console: Console, entry: AuditedFile) -> None:
    reasons = ", ".join(f"{reason} {number:,}" for reason, number in entry.reasons.items())
    console.print(
        f"[bold]screening[/]: {entry.requested:,} rows = {entry.accepted:,} accepted + {entry.rejected:,} "
        f"rejected + {entry.failed:,} failed{f' ({escape(reasons)})' if reasons else ''}",
        highlight=False,
    )
    for example in entry.examples[:SHOWN_EXAMPLES]:
        console.print(f"  [dim]{escape(example.reason)}[/]: {escape(_short(example.text))}", highlight=False)
        if example.nearest_text:
            console.print(f"  [dim]nearest real:[/] {escape(_short(example.nearest_text))}", highlight=False)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARACTERS else f"{line[: SHOWN_CHARACTERS - 1]}…"
