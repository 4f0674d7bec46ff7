"""Sentences with slots, filled with the key terms of the wanted labels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any, ClassVar

import numpy as np

from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError
from services.domain.seeds import stream
from services.domain.task import LabelSet, Task
from services.generator.backends import BACKENDS, Candidate, WriteRequest
from services.generator.key_terms import Terms, key_terms
from services.generator.parameters import Parameters, number, refuse_unknown, text_table, texts_table
from services.generator.planning import LABEL_CONDITIONED
from services.generator.sentences import DEFAULT_GENRE, Sentences, load_templates
from services.generator.simulation.draws import cumulative, one_of, pick

DEFAULT_TERMS, MOST_TERMS = 20, 200
DEFAULT_SENTENCES, MOST_SENTENCES = 4, 40
# Term use falls as 1 / place ** TERM_EXPONENT.
TERM_EXPONENT = 0.5


class Template:
    """Fills slots with terms that are given, or learned from the real documents by class-based tf-idf."""

    version: ClassVar[str] = "1"
    description: ClassVar[str] = (
        "Ready-made sentences whose slots take the key terms of the wanted labels, given or learned from the real "
        "documents, and definitions where there are some. Not a language model: it knows terms and no sense."
    )
    # Terms may be given; where they are not, prepare asks for real documents.
    needs_real: ClassVar[bool] = False
    is_llm: ClassVar[bool] = False
    keeps_rejected: ClassVar[bool] = False
    is_finite: ClassVar[bool] = False
    strategies: ClassVar[tuple[str, ...]] = (LABEL_CONDITIONED,)

    def parameter_schema(self) -> dict[str, Any]:
        lists = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        properties = {
            "terms": {
                "type": "object",
                "description": "Key terms by label, most used first; learned for labels not named.",
                "additionalProperties": lists,
            },
            "definitions": {
                "type": "object",
                "description": "What a label means, as it would stand after 'this is about'.",
                "additionalProperties": {"type": "string"},
            },
            "terms_per_label": {
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_TERMS,
                "default": DEFAULT_TERMS,
            },
            "sentences": {
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_SENTENCES,
                "default": DEFAULT_SENTENCES,
            },
        }
        return {"type": "object", "additionalProperties": False, "properties": properties}

    def prepare(self, task: Task, real: Corpus | None, parameters: Parameters, seed: int) -> "TemplateWriter":
        refuse_unknown(parameters, self.parameter_schema()["properties"], "template")
        given = texts_table(parameters, "terms", task.labels)
        definitions = text_table(parameters, "definitions", task.labels)
        if not given and real is None:
            raise InvalidInputError(
                "template fills its slots with key terms: give some in parameter 'terms', or name a real corpus "
                "to learn them from",
                field="real",
            )
        count = round(number(parameters, "terms_per_label", DEFAULT_TERMS, 1, MOST_TERMS))
        learned = key_terms(real, count, load_templates().function_words) if real else {}
        sentences = round(number(parameters, "sentences", DEFAULT_SENTENCES, 1, MOST_SENTENCES))
        return TemplateWriter({**learned, **given}, definitions, sentences)


@dataclass(frozen=True)
class TemplateWriter:
    """Terms and definitions by label, and how many sentences a document has besides opening and closing."""

    terms: Mapping[str, Terms]
    definitions: Mapping[str, str]
    sentences: int
    label_law: ClassVar[None] = None
    labels_fixed: ClassVar[bool] = False

    def write(self, requests: Sequence[WriteRequest]) -> Iterator[Candidate]:
        templates = load_templates()
        for request in requests:
            genre = templates.genre(request.genre)
            blank = Candidate(
                request.index, "", request.labels, request.index, request.genre or DEFAULT_GENRE
            )
            unknown = [label for label in request.labels if not self.terms.get(label)]
            if unknown:
                detail = f"no terms for label {unknown[0]!r}, neither given nor in a real document"
                yield replace(blank, failure="no_terms", detail=detail)
            else:
                yield replace(blank, text=self._text(request, genre))

    def _text(self, request: WriteRequest, genre: Sentences) -> str:
        rng = stream(request.seed, "template", request.index)
        defined = [self.definitions[label] for label in request.labels if label in self.definitions]
        definition = one_of(defined, rng) if defined else ""
        # Enough sentences for every label to have its turn.
        count = max(self.sentences, len(request.labels))
        return genre.fill(self._deal(request.labels, rng).__next__, count, definition, rng)

    def _deal(self, labels: LabelSet, rng: np.random.Generator) -> Iterator[str]:
        """Yield terms without end, label by label; a label's own come again when all were used."""
        decks = [cycle(_shuffled(self.terms[label], rng)) for label in labels]
        for deck in cycle([decks[int(i)] for i in rng.permutation(len(decks))]):
            yield next(deck)


def _shuffled(terms: Terms, rng: np.random.Generator) -> Iterator[str]:
    """Yield all terms in a random order in which the better ones tend to come first."""
    left = list(terms)
    while left:
        weights = cumulative(1 / place**TERM_EXPONENT for place in range(1, len(left) + 1))
        yield left.pop(pick(weights, rng))


BACKENDS.register("template", Template())
