"""Where a study's real documents come from: one source per file.

A dataset is read through the services, so that a study needs nothing else.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from services.domain.corpus import Corpus
from services.domain.registry import Registry
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


DATASETS: Registry[Dataset] = Registry("datasets", __name__)
