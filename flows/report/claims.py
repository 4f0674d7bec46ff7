"""Claims: sentences bound to queries over the tables, so that none can outlive its numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from flows.report.inputs import ReportInput
from flows.report.page import Sentence


class Finding(NamedTuple):
    """What a query found: which of the claim's templates says it, and the words to fill in."""

    template: str
    words: Mapping[str, object] = {}
    items: tuple[str, ...] = ()  # completes a template that ends in a colon


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that is computed anew at every render.

    Attributes:
        name: Stable; tests and `claims.parquet` use it.
        source: The table and rows that the query reads, for a reader who wants to check.
        templates: One format string for each way the query can come out.
        query: Reads the tables and nothing else.
    """

    name: str
    source: str
    templates: Mapping[str, str]
    query: Callable[[ReportInput], Finding]

    def read(self, tables: ReportInput) -> Sentence:
        """The sentence as the tables now have it."""
        finding = self.query(tables)
        text = self.templates[finding.template].format(**finding.words)
        return Sentence(self.name, text, self.source, finding.items)


def claims_table(read: Sequence[Sentence]) -> pd.DataFrame:
    """Columns name, sentence, source: what `sentences.parquet` holds."""
    sentences = [(sentence.name, sentence.whole, sentence.source) for sentence in read]
    return pd.DataFrame(sentences, columns=["name", "sentence", "source"])
