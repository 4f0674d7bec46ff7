"""What is to be predicted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from services.domain.errors import InvalidInputError

LabelSet = tuple[str, ...]
Indicator = npt.NDArray[np.bool_]


class TaskType(StrEnum):
    """How many labels a document carries."""

    MULTI_LABEL = "multi_label"
    SINGLE_LABEL = "single_label"


@dataclass(frozen=True, slots=True)
class Task:
    """A type and the labels, whose order is the order of every score column.

    Raises:
        InvalidInputError: No labels, a repeated label or an empty name.
    """

    type: TaskType
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.labels or "" in self.labels:
            raise InvalidInputError("a task needs labels, each with a name", field="task.labels")
        if len(set(self.labels)) != len(self.labels):
            twice = next(name for name in self.labels if self.labels.count(name) > 1)
            raise InvalidInputError(f"label {twice!r} is listed twice", field="task.labels")

    def index(self, label: str) -> int:
        """Return the column of a label.

        Raises:
            InvalidInputError: The label is not part of the task.
        """
        if label not in self.labels:
            raise InvalidInputError(
                f"label {label!r} is not in the taxonomy of {len(self.labels)} labels", field="labels"
            )
        return self.labels.index(label)

    def encode(self, label_sets: Sequence[Iterable[str]]) -> Indicator:
        """Return the indicator matrix, shape (n, labels).

        Raises:
            InvalidInputError: A label is not part of the task.
        """
        column = {name: j for j, name in enumerate(self.labels)}
        indicator = np.zeros((len(label_sets), len(self.labels)), dtype=bool)
        for i, labels in enumerate(label_sets):
            for label in labels:
                indicator[i, column[label] if label in column else self.index(label)] = True
        return indicator

    def unlike(self, other: "Task") -> str:
        """Say in what another task differs from this one, for a person; empty where they are the same."""
        if other.type is not self.type:
            return f"it is a {other.type.value} task, not a {self.type.value} one"
        strange = [name for name in other.labels if name not in self.labels]
        lacking = [name for name in self.labels if name not in other.labels]
        if strange or lacking:
            more = f"{strange[0]!r} is not among the {len(self.labels)}" if strange else ""
            less = f"{lacking[0]!r} is missing" if lacking else ""
            return " and ".join(filter(None, (more, less)))
        return "" if other.labels == self.labels else "the labels are the same in another order"

    def decode(self, indicator: Indicator) -> tuple[LabelSet, ...]:
        """Return the label set of every row, in the task's order."""
        return tuple(tuple(self.labels[j] for j in np.flatnonzero(row)) for row in indicator)
