"""The objective that a stage names, with the constants it changes: "focal(gamma=1)"."""

import difflib
import json
import re
from dataclasses import replace
from typing import Any

from services.classifier.objectives import OBJECTIVES, Objective
from services.classifier.parameters import read_parameters
from services.domain.errors import InvalidInputError
from services.domain.task import TaskType

_WRITTEN = re.compile(r"(\w+)(?:\((.*)\))?", re.ASCII)


def read_objective(written: str, task_type: TaskType) -> Objective:
    """Return an objective with its constants.

    Raises:
        InvalidInputError: No such objective or constant, a value out of range, or
            an objective that is not defined for this kind of task.
    """
    name, given = _parse(written)
    known = OBJECTIVES.get(name)
    read = read_parameters(type(known), given, name)
    objective = replace(known, **{key: getattr(read, key) for key in given})
    if task_type not in objective.types:
        others = [other for other in OBJECTIVES.names() if task_type in OBJECTIVES.get(other).types]
        raise InvalidInputError(
            f"{name} is not defined for {_spoken(task_type)} tasks, only for "
            f"{' and '.join(_spoken(t) for t in objective.types)} ones; defined are: {', '.join(others)}",
            field="objective",
        )
    return objective


def objective_name(written: str) -> str:
    """Return the name in front of an objective's constants.

    Raises:
        InvalidInputError: It is not written like an objective.
    """
    return _parse(written)[0]


def unknown_objective(name: str, known: tuple[str, ...], family: str) -> InvalidInputError:
    """Return the error for a name that a family does not know."""
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return InvalidInputError(
        f"{family} knows no objective {name!r}; {hint}it has: {', '.join(known)}", field="objective"
    )


def _parse(written: str) -> tuple[str, dict[str, Any]]:
    found = _WRITTEN.fullmatch(written.strip())
    if found is None:
        raise _unreadable(written)
    given: dict[str, Any] = {}
    for constant in filter(None, map(str.strip, (found[2] or "").split(","))):
        key, equals, value = constant.partition("=")
        try:
            given[key.strip()] = json.loads(value) if equals else None
        except ValueError:
            raise _unreadable(written) from None
    return found[1], given


def _unreadable(written: str) -> InvalidInputError:
    return InvalidInputError(
        f"an objective is a name, or a name with constants like 'focal(gamma=1)', not {written[:80]!r}",
        field="objective",
    )


def _spoken(task_type: TaskType) -> str:
    return task_type.value.replace("_", "-")
