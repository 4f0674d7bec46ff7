"""Where a study's real documents come from: one source per file.

A dataset is read through the services, so that a study needs nothing else.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError
from services.domain.registry import Registry
from services.domain.task import TaskType
from services.generator.client import GeneratorClient


class Dataset(Protocol):
    """A source of real documents.

    `identity` returns what the documents depend on, for the cells' digests: a
    version for what we simulate, digests for files. `simulated` makes every
    page say that these documents are not real; `backend` names the generator
    backend that writes them, empty without one.
    """

    simulated: bool
    backend: str

    def identity(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]: ...

    def load(
        self, parameters: Mapping[str, Any], count: int, seed: int, generator: GeneratorClient
    ) -> Corpus: ...


def given_task_type(parameters: Mapping[str, Any]) -> TaskType | None:
    """Return the parameter `task_type` of a dataset that reads tables, None where it is left to them.

    Raises:
        InvalidInputError: It is none.
    """
    given = str(parameters.get("task_type", ""))
    if given and given not in set(TaskType):
        raise InvalidInputError(
            f"task_type is {' or '.join(TaskType)}, not {given!r}", field="dataset.parameters.task_type"
        )
    return TaskType(given) if given else None


DATASETS: Registry[Dataset] = Registry("datasets", __name__)
