"""Logistic regression on sentence embeddings."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.classifier.embeddings import Embeddings, read_embeddings
from services.classifier.families import FAMILIES, FOLDS, Examples, Floats, Model, Rows, Source
from services.classifier.linear import (
    Head,
    fit_each,
    fit_softmax,
    fit_softmax_under,
    heads_of,
    require_strength,
)
from services.classifier.objectives import OBJECTIVES
from services.classifier.parameters import Parameters
from services.classifier.solvers.dense import fit_dense
from services.classifier.solvers.newton import solve
from services.classifier.solvers.objectives import Under
from services.classifier.stage_objective import read_objective
from services.domain.errors import PreconditionError
from services.domain.plan import LOG_LOSS
from services.domain.task import TaskType


@dataclass(frozen=True, slots=True)
class EncoderParameters:
    """Settings of `frozen_encoder`: C is the inverse of the penalty."""

    C: float = 10.0

    def __post_init__(self) -> None:
        require_strength("C", self.C)


@dataclass(frozen=True, slots=True)
class FittedHead:
    """A head over the embeddings of its source."""

    embeddings: Embeddings
    head: Head
    encoder: str

    @property
    def estimates(self) -> Mapping[str, float]:
        truncated = self.embeddings.truncated
        # Of all corpora of the run, whichever of their rows a plan takes.
        known = {} if truncated is None else {"truncated_in_corpora": float(truncated)}
        return self.head.estimates | known

    @property
    def notes(self) -> Mapping[str, str]:
        return {}

    def scores(self, rows: Rows) -> Floats:
        return self.head.scores(self.embeddings.vectors[rows])

    def model(self) -> Model:
        metadata = {
            "type": self.head.type.value,
            "encoder": self.encoder,
            "encoder_revision": self.embeddings.revision,
        }
        return Model(self.head.arrays(), metadata)


@dataclass(frozen=True, slots=True)
class PreparedEmbeddings:
    """Embeddings of all documents."""

    embeddings: Embeddings
    encoder: str
    parameters: EncoderParameters

    def fit(self, examples: Examples) -> tuple[FittedHead, ...]:
        features = self.embeddings.vectors[examples.rows]
        heads = _fit_heads(features, examples, self.parameters.C)
        return tuple(FittedHead(self.embeddings, head, self.encoder) for head in heads)


@dataclass(frozen=True, slots=True)
class FrozenEncoder:
    """The family."""

    version: int = 1
    description: str = "Logistic regression on sentence embeddings; the encoder is not trained."
    parameters: type[Parameters] = EncoderParameters
    stages: int = 1
    encodes: bool = True
    is_convex: bool = True
    validation: str = FOLDS

    @property
    def objectives(self) -> tuple[str, ...]:
        return OBJECTIVES.names()

    def prepare(self, source: Source, parameters: EncoderParameters) -> PreparedEmbeddings:
        return PreparedEmbeddings(read_embeddings(source), source.encoder, parameters)

    def scores(self, model: Model, source: Source) -> Floats:
        embeddings, trained_on = read_embeddings(source), model.metadata["encoder_revision"]
        if embeddings.revision != trained_on:
            raise PreconditionError(
                f"the model was trained on embeddings of {trained_on or 'an unknown encoder'}, and these are of "
                f"{embeddings.revision or 'an unknown one'}; train it again"
            )
        return Head.from_arrays(model.arrays, model.metadata["type"]).scores(embeddings.vectors)


def _fit_heads(features: Floats, examples: Examples, strength: float) -> tuple[Head, ...]:
    truth, weights = examples.truth, examples.weights
    objective = read_objective(examples.objective, examples.type)
    if examples.type is TaskType.MULTI_LABEL:
        method = solve if examples.objective == LOG_LOSS else Under(objective)
        return heads_of(fit_dense(features, truth, weights, strength, method=method))
    if examples.objective == LOG_LOSS:
        return fit_each(lambda w: fit_softmax(features, truth, w, strength), weights)
    return fit_each(lambda w: fit_softmax_under(features, truth, w, strength, objective), weights)


FAMILIES.register("frozen_encoder", FrozenEncoder())
