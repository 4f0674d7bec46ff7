"""What an audit found, for a notebook and for a script."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd

from flows.auditing.cards import verdict_cards
from flows.report.inputs import AuditedFile, AuditInput, Distance, Example, Finding, Reading, Worth


@dataclass(frozen=True, slots=True)
class AuditResult:
    """An audit; in a notebook it shows itself as its verdict cards.

    Attributes:
        found: Everything the report shows, as values.
        html: The report, one self-contained page.
        markdown: The same as Markdown.
        output: Where both were written; None where nothing was.
        wall_seconds: From the first file read to the last number.
    """

    found: AuditInput
    # A whole page in a prompt helps nobody.
    html: str = field(repr=False)
    markdown: str = field(repr=False)
    output: Path | None
    wall_seconds: float

    @property
    def files(self) -> tuple[AuditedFile, ...]:
        """One entry per synthetic file."""
        return self.found.files

    @property
    def verdicts(self) -> pd.DataFrame:
        """One row per file and reading: verdict, effect, intervals, n."""
        rows = [{"file": f.name} | asdict(reading) for f in self.files for reading in f.readings]
        return _frame(rows, Reading, "file").rename(columns={"title": "reading"})

    @property
    def worths(self) -> pd.DataFrame:
        """One row per file with a ruler; `low` and `high` are null beyond the ruler's ends."""
        return _frame([{"file": f.name} | asdict(f.worth) for f in self.files if f.worth], Worth, "file")

    @property
    def distances(self) -> pd.DataFrame:
        """One row per file and metric."""
        return _frame(
            [{"file": f.name} | asdict(d) for f in self.files for d in f.distances], Distance, "file"
        )

    @property
    def rejections(self) -> pd.DataFrame:
        """One row per file: requested = accepted + rejected + failed."""
        names = ("name", "requested", "accepted", "rejected", "failed")
        rows = [{name: getattr(entry, name) for name in names} for entry in self.files]
        return pd.DataFrame(rows, columns=list(names)).rename(columns={"name": "file"})

    @property
    def rejection_reasons(self) -> pd.DataFrame:
        """One row per file and reason."""
        rows = [(entry.name, *item) for entry in self.files for item in entry.reasons.items()]
        return pd.DataFrame(rows, columns=["file", "reason", "count"])

    @property
    def examples(self) -> pd.DataFrame:
        """Documents that were not accepted beside the real document nearest to them."""
        return _frame([{"file": f.name} | asdict(e) for f in self.files for e in f.examples], Example, "file")

    @property
    def preflight(self) -> pd.DataFrame:
        """What was found before anything was trained."""
        return pd.DataFrame(list(self.found.findings), columns=list(Finding._fields))

    def _repr_html_(self) -> str:
        return verdict_cards(self.found)


def _frame(rows: Iterable[dict[str, Any]], kind: type[Any], *first: str) -> pd.DataFrame:
    """Return a table that has its columns even without rows."""
    columns = [*first, *(field.name for field in fields(kind))]
    return pd.DataFrame(list(rows), columns=columns)
