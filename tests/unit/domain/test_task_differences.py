"""In what two tasks differ, said so that a stranger finds it."""

import pytest

from services.domain.task import Task, TaskType

TASK = Task(TaskType.MULTI_LABEL, ("braille", "cane", "ramp"))


@pytest.mark.parametrize(
    ("kind", "labels", "says"),
    [
        (TaskType.MULTI_LABEL, ("braille", "cane", "ramp"), ""),
        (
            TaskType.SINGLE_LABEL,
            ("braille", "cane", "ramp"),
            "it is a single_label task, not a multi_label one",
        ),
        (TaskType.MULTI_LABEL, ("braille", "cane", "lift", "ramp"), "'lift' is not among the 3"),
        (TaskType.MULTI_LABEL, ("braille", "cane"), "'ramp' is missing"),
        (
            TaskType.MULTI_LABEL,
            ("braille", "cane", "lift"),
            "'lift' is not among the 3 and 'ramp' is missing",
        ),
        (TaskType.MULTI_LABEL, ("cane", "braille", "ramp"), "the labels are the same in another order"),
    ],
)
def test_the_difference_is_named(kind: TaskType, labels: tuple[str, ...], says: str) -> None:
    assert TASK.unlike(Task(kind, labels)) == says
