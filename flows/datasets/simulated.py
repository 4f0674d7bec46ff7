"""Documents of a simulated world: the embedded default, and not real.

They are written by the generator service's own simulator at its "reality"
preset, over 64 assistive-technology labels with patent families.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flows.datasets import DATASETS
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.generator.client import GeneratorClient
from services.generator.planning import GenerationSpec, Outcome
from services.generator.simulation.taxonomy import load_taxonomy

BACKEND = "simulator"
# Families are not cut, so a split may take one family more than it asks for.
SPARE_DOCUMENTS = 40


class Simulated:
    simulated = True
    backend = BACKEND
    version = "1"

    def identity(self, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        if parameters:
            raise InvalidInputError(
                f"the simulated dataset takes no parameters, not {sorted(parameters)}",
                field="dataset.parameters",
            )
        return {"version": self.version}

    def load(
        self, parameters: Mapping[str, Any], count: int, seed: int, generator: GeneratorClient
    ) -> Corpus:
        spec = GenerationSpec(
            generator="reality",
            backend=BACKEND,
            parameters={"preset": "reality"},
            strategy="label_conditioned",
            seed=seed,
            task=load_taxonomy().task(),
            real=None,
            label_source="backend",
            label_sets=(),
            genre="",
        )
        outcomes = generator.generate(spec, start=0, count=count + SPARE_DOCUMENTS)
        return Corpus(spec.task, tuple(_as_real(outcome) for outcome in outcomes))


def _as_real(outcome: Outcome) -> Document:
    if outcome.document is None:
        raise InvalidInputError(
            f"the simulated world failed to write document {outcome.index}: {outcome.detail}", field="dataset"
        )
    # In this study's world these are the real documents: nobody generated them.
    return replace(outcome.document, provenance=None)


DATASETS.register("simulated", Simulated())
