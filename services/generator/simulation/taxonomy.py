"""The labels of the simulated task and the words they are written with."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from services.domain.errors import InvalidInputError
from services.domain.task import Task, TaskType

FOLDER = Path(__file__).parent.parent / "taxonomy"

Phrases = tuple[tuple[str, ...], ...]
"""Terms from most to least used, each with its synonyms."""


@dataclass(frozen=True, slots=True)
class LabelEntry:
    """One label; `rank` orders labels by prevalence, 1 being the most common."""

    name: str
    domain: str
    rank: int
    terms: Phrases
    related: tuple[str, ...]


@dataclass(frozen=True)
class Taxonomy:
    """Labels in a fixed order, and the terms that all labels of a domain use."""

    name: str
    labels: tuple[LabelEntry, ...]
    shared: dict[str, Phrases]

    def task(self) -> Task:
        """Return the multi-label task over these labels."""
        return Task(TaskType.MULTI_LABEL, tuple(label.name for label in self.labels))

    def index(self, label: str) -> int:
        """Return a label's position.

        Raises:
            InvalidInputError: The taxonomy has no vocabulary for it.
        """
        for i, entry in enumerate(self.labels):
            if entry.name == label:
                return i
        raise InvalidInputError(
            f"the simulator has no vocabulary for label {label!r}; it writes the {len(self.labels)} labels of "
            f"{self.name!r}",
            field="task.labels",
        )


@cache
def load_taxonomy(name: str = "assistive_technology") -> Taxonomy:
    """Return a taxonomy of the data folder."""
    data = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    labels = tuple(
        LabelEntry(
            entry["name"], entry["domain"], entry["rank"], _phrases(entry["terms"]), tuple(entry["related"])
        )
        for entry in data["label"]
    )
    shared = {domain: _phrases(entry["shared"]) for domain, entry in data["domain"].items()}
    return Taxonomy(name, labels, shared)


def _phrases(terms: list[str]) -> Phrases:
    return tuple(tuple(term.split("|")) for term in terms)
