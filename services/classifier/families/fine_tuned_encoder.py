"""A transformer fine-tuned under a linear head."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, softmax

from services.classifier.families import FAMILIES, INNER_FIFTH, Examples, Floats, Model, Rows, Source
from services.classifier.fine_tuning.settings import FineTuning
from services.classifier.objectives import OBJECTIVES
from services.classifier.parameters import Parameters
from services.domain.errors import PreconditionError
from services.domain.task import TaskType

if TYPE_CHECKING:
    from torch import Tensor

    from services.classifier.fine_tuning.fitting import Fit, Fitter


@dataclass(frozen=True, slots=True)
class FittedEncoder:
    """What training changed, and what it changed it in."""

    fitter: "Fitter"
    type: TaskType
    weights: Mapping[str, "Tensor"]
    estimates: Mapping[str, float]

    @property
    def notes(self) -> Mapping[str, str]:
        return self.fitter.notes

    def scores(self, rows: Rows) -> Floats:
        logits = self.fitter.logits(self.weights, rows)
        found = expit(logits) if self.type is TaskType.MULTI_LABEL else softmax(logits, axis=1)
        return np.asarray(found, np.float32)

    def model(self) -> Model:
        arrays = {name: tensor.numpy() for name, tensor in self.weights.items()}
        return Model(arrays, {**self.fitter.description, "type": self.type.value})


@dataclass(frozen=True, slots=True)
class PreparedEncoder:
    """One network, which trains and scores one plan at a time."""

    fitter: "Fitter"

    def fit(self, examples: Examples) -> tuple[FittedEncoder, ...]:
        if len(examples.held):
            fits = self._fit_and_refit(examples)
        else:
            fits = [self.fitter.fit(examples, g) for g in range(examples.weights.shape[1])]
        for fit in fits:
            # Not before: a refit that is killed must not repeat what came before it.
            fit.saved.forget()
        return tuple(FittedEncoder(self.fitter, examples.type, fit.weights, fit.estimates) for fit in fits)

    def _fit_and_refit(self, examples: Examples) -> list["Fit"]:
        stopped = self.fitter.fit(examples, 0)
        if not self.fitter.refits:
            return [stopped]
        return [stopped, self.fitter.fit(examples, 1, stopped.taken)]


@dataclass(frozen=True, slots=True)
class FineTunedEncoder:
    """The family."""

    version: int = 1
    description: str = (
        "A transformer fine-tuned under a linear head; by default the upper two layers of MiniLM. An inner fifth of "
        "the real documents decides when to stop and the threshold; then it trains on all of them."
    )
    parameters: type[Parameters] = FineTuning
    stages: int = 16
    encodes: bool = False
    is_convex: bool = False
    validation: str = INNER_FIFTH

    @property
    def objectives(self) -> tuple[str, ...]:
        return OBJECTIVES.names()

    def revision(self, parameters: FineTuning) -> str:
        from services.classifier.fine_tuning.checkpoints import revision
        from services.classifier.fine_tuning.machine import Machine

        return f"{revision(parameters.checkpoint)}/{Machine.here(parameters.precision).precision}"

    def computed_on(self) -> str:
        from services.classifier.fine_tuning.machine import computed_on

        return computed_on()

    def prepare(self, source: Source, parameters: FineTuning) -> PreparedEncoder:
        from services.classifier.fine_tuning.fitting import Fitter

        return PreparedEncoder(Fitter(source, parameters))

    def scores(self, model: Model, source: Source) -> Floats:
        from services.classifier.fine_tuning.fitting import Fitter, described, tensors

        settings, trained_on = described(model.metadata)
        found = self.revision(settings)
        if found != trained_on:
            raise PreconditionError(
                f"the model was trained on checkpoint and precision {trained_on}, and {settings.checkpoint!r} is now "
                f"{found}; train it again"
            )
        fitted = FittedEncoder(
            Fitter(source, settings), TaskType(model.metadata["type"]), tensors(model.arrays), {}
        )
        return fitted.scores(np.arange(sum(len(block.texts) for block in source.blocks)))


FAMILIES.register("fine_tuned_encoder", FineTunedEncoder())
