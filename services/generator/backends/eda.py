"""Real documents with some words replaced, added, moved or left out."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError
from services.domain.seeds import stream
from services.domain.task import Task
from services.generator.backends import BACKENDS, Candidate, WriteRequest
from services.generator.eda import augmented
from services.generator.neighbours import Neighbours, learn_neighbours
from services.generator.parameters import Parameters, number, refuse_unknown
from services.generator.planning import PARAPHRASE

# Half of the patents changed at the source's 0.1 still pass for near duplicates of their originals.
DEFAULT_STRENGTH = 0.2
LEAST_STRENGTH = 0.01


class Eda:
    """Easy data augmentation of its sources."""

    version: ClassVar[str] = "1"
    description: ClassVar[str] = (
        "Easy data augmentation (Wei and Zou, 2019): a source with words swapped, left out, added or replaced by "
        "words that the real documents use alike. Not a language model: it changes words and says nothing new."
    )
    needs_real: ClassVar[bool] = True
    is_llm: ClassVar[bool] = False
    keeps_rejected: ClassVar[bool] = False
    is_finite: ClassVar[bool] = False
    strategies: ClassVar[tuple[str, ...]] = (PARAPHRASE,)

    def parameter_schema(self) -> dict[str, Any]:
        strength = {
            "type": "number",
            "minimum": LEAST_STRENGTH,
            "maximum": 1,
            "default": DEFAULT_STRENGTH,
            "description": "Share of a document's words that are changed.",
        }
        return {"type": "object", "additionalProperties": False, "properties": {"strength": strength}}

    def prepare(self, task: Task, real: Corpus | None, parameters: Parameters, seed: int) -> "EdaWriter":
        refuse_unknown(parameters, self.parameter_schema()["properties"], "eda")
        if real is None:
            raise InvalidInputError("eda changes real documents: name a real corpus", field="real")
        strength = number(parameters, "strength", DEFAULT_STRENGTH, LEAST_STRENGTH, 1)
        return EdaWriter(learn_neighbours(real.texts), strength)


class EdaWriter:
    """The neighbours of the words of the real documents."""

    label_law = None
    labels_fixed = False

    def __init__(self, neighbours: Neighbours, strength: float) -> None:
        self._neighbours, self._strength = neighbours, strength

    def write(self, requests: Sequence[WriteRequest]) -> Iterator[Candidate]:
        for request in requests:
            if request.source is None:
                raise InvalidInputError("eda rewrites sources: use strategy 'paraphrase'", field="strategy")
            rng = stream(request.seed, "eda", request.index)
            text = augmented(request.source.text, rng, self._neighbours, self._strength)
            genre = request.source.genre
            yield Candidate(request.index, text, request.labels, request.index, genre)


BACKENDS.register("eda", Eda())
