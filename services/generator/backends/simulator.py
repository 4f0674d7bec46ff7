"""Documents of a simulated world, and of generators that deviate from it by known dials."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.seeds import stream
from services.domain.task import LabelSet, Task
from services.generator.backends import BACKENDS, Candidate, LabelLaw, WriteRequest
from services.generator.parameters import Parameters
from services.generator.planning import STRATEGIES
from services.generator.simulation.content import (
    Vocabulary,
    draw_term,
    draw_terms,
    mentioned_labels,
    vocabulary,
)
from services.generator.simulation.copying import Donors, donors
from services.generator.simulation.dials import PER_LABEL, Dials, dials_from, load_law, parameter_schema
from services.generator.simulation.law import family_head, label_law
from services.generator.simulation.phrasing import load_wording
from services.generator.simulation.rewording import load_finder, reworded_terms
from services.generator.simulation.taxonomy import load_taxonomy


class Simulator:
    """Short patent-like texts over the assistive-technology taxonomy."""

    version: ClassVar[str] = "2"
    description: ClassVar[str] = (
        "Patent-like texts of a simulated world. Presets deviate from it by known dials, so that what a study "
        "finds can be compared with the truth. Not a language model."
    )
    needs_real: ClassVar[bool] = False
    is_llm: ClassVar[bool] = False
    # What a preset is worth is known for all of its documents, not for those that a filter leaves.
    keeps_rejected: ClassVar[bool] = True
    is_finite: ClassVar[bool] = False
    strategies: ClassVar[tuple[str, ...]] = STRATEGIES

    def parameter_schema(self) -> dict[str, Any]:
        return parameter_schema()

    def prepare(
        self, task: Task, real: Corpus | None, parameters: Parameters, seed: int
    ) -> "SimulatedWriter | ResamplingWriter":
        dials = dials_from(parameters)
        if dials.needs_real and real is None:
            raise InvalidInputError(
                "simulator: these parameters copy real documents, so the request needs a real corpus",
                field="real",
            )
        _check_per_label(dials, task)
        if dials.resample and real is not None:
            return ResamplingWriter(donors(real), seed)
        return SimulatedWriter(task, real, dials, seed)


class SimulatedWriter:
    """Writes by the law of the simulated world under some dials."""

    labels_fixed = False

    def __init__(self, task: Task, real: Corpus | None, dials: Dials, seed: int) -> None:
        taxonomy, law = load_taxonomy(), load_law()
        self._dials, self._law, self._seed = dials, law, seed
        self._labels = taxonomy.task().labels
        self._position = {name: taxonomy.index(name) for name in task.labels}
        self._words = vocabulary(taxonomy, law, dials, label_law(taxonomy, law, dials.marginal_tilt))
        self._wording = load_wording()
        self._donors: Donors | None = donors(real) if real is not None and dials.copy_rate > 0 else None
        complete = len(task.labels) == len(self._labels)
        self.label_law: LabelLaw | None = self._draw_labels if complete else None

    def write(self, requests: Sequence[WriteRequest]) -> Iterator[Candidate]:
        for request in requests:
            if request.source is not None:
                yield self._rewrite(request, request.source)
                continue
            rng = stream(request.seed, "copy", request.index)
            copied = rng.random() < self._dials.copy_rate
            yield self._copy(request, rng) if copied else self._compose(request)

    def _draw_labels(self, index: int) -> LabelSet:
        head = self._head(index)
        drawn = self._words.label_law.draw(stream(self._seed, "labels", head))
        return tuple(self._labels[j] for j in drawn)

    def _head(self, index: int) -> int:
        return family_head(self._seed, index, self._law) if self._dials.families else index

    def _copy(self, request: WriteRequest, rng: np.random.Generator) -> Candidate:
        assert self._donors is not None
        source = self._donors.same_labels(request.labels, rng) or self._donors.nearest_labels(
            request.labels, rng
        )
        text = self._wording.disturb(source.text, self._dials.paraphrase_noise, rng)
        return Candidate(request.index, text, request.labels, request.index, source.genre, source)

    def _rewrite(self, request: WriteRequest, source: Document) -> Candidate:
        """Say the source's terms again, in another order and wording.

        The dials that say how text and labels part act here as well (vocabulary_fidelity, labels_added,
        independent_text, genre_drift, paraphrase_noise, copy_rate); those that decide what a new text is
        about do not.
        """
        rng = stream(request.seed, "rewrite", request.index)
        blank = Candidate(request.index, "", request.labels, request.index)
        if rng.random() < self._dials.copy_rate:
            text = self._wording.disturb(source.text, self._dials.paraphrase_noise, rng)
            return replace(blank, text=text, genre=source.genre)
        if rng.random() < self._dials.independent_text:
            return self._compose(replace(request, own_labels=False))
        terms = reworded_terms(self._words, load_finder().found(source.text), rng)
        if not terms:
            detail = f"document {source.id!r} uses no term of the simulated world that could be said again"
            return replace(blank, failure="no_terms", detail=detail)
        genre = self._wording.choose_genre(
            request.genre or self._native(source), self._dials.genre_drift, rng
        )
        text = self._wording.disturb(self._wording.word(terms, genre, rng), self._dials.paraphrase_noise, rng)
        return replace(blank, text=text, genre=genre.name)

    def _native(self, source: Document) -> str:
        return source.genre if source.genre in self._wording.genres else ""

    def _compose(self, request: WriteRequest) -> Candidate:
        head = self._head(request.index) if request.own_labels else request.index
        terms = self._terms(request, head)
        rng = stream(request.seed, "wording", request.index)
        genre = self._wording.choose_genre(request.genre, self._dials.genre_drift, rng)
        text = self._wording.word(terms, genre, rng)
        text = self._wording.disturb(text, self._dials.paraphrase_noise, rng)
        return Candidate(request.index, text, request.labels, head, genre.name)

    def _terms(self, request: WriteRequest, head: int) -> list[str]:
        rng = stream(request.seed, "content", head)
        labels = [self._position[name] for name in request.labels]
        other = self._words.label_law.draw(rng)
        if rng.random() < self._dials.independent_text:
            labels = list(other)
        domain = self._words.taxonomy.labels[labels[0]].domain
        mentioned = mentioned_labels(self._words, labels, rng)
        terms = draw_terms(self._words, mentioned, domain, rng)
        if head == request.index or not mentioned:
            return terms
        return _varied(self._words, terms, mentioned, stream(request.seed, "relative", request.index))


class ResamplingWriter:
    """Hands out real documents with replacement, labels included, and names no source."""

    labels_fixed = False

    def __init__(self, available: Donors, seed: int) -> None:
        self._donors, self._seed = available, seed
        self.label_law: LabelLaw | None = self._draw_labels

    def write(self, requests: Sequence[WriteRequest]) -> Iterator[Candidate]:
        for request in requests:
            if request.source is not None:
                raise InvalidInputError(
                    "simulator: this preset hands out real documents as they are and rewrites none: "
                    "use another one",
                    field="strategy",
                )
            donor = self._donor(request)
            blank = Candidate(request.index, "", request.labels, request.index)
            if donor is None:
                detail = f"no real document carries exactly the labels {', '.join(request.labels)}"
                yield replace(blank, failure="no_donor", detail=detail)
            else:
                yield replace(blank, text=donor.text, genre=donor.genre)

    def _donor(self, request: WriteRequest) -> Document | None:
        rng = stream(self._seed, "donor", request.index)
        row = self._donors.any_row(rng)
        if request.own_labels:
            return self._donors.corpus.documents[row]
        # The empirical law of label sets and a uniform donor among equals is again a uniform donor.
        return self._donors.same_labels(request.labels, rng)

    def _draw_labels(self, index: int) -> LabelSet:
        row = self._donors.any_row(stream(self._seed, "donor", index))
        return self._donors.corpus.documents[row].labels


def _check_per_label(dials: Dials, task: Task) -> None:
    for name in PER_LABEL:
        value = getattr(dials, name)
        for label in value if isinstance(value, Mapping) else ():
            if label not in task.labels:
                raise InvalidInputError(
                    f"{name} names label {label!r}, which is not among the task's {len(task.labels)} labels",
                    field=f"parameters.{name}",
                )


def _varied(
    words: Vocabulary, terms: Sequence[str], labels: Sequence[int], rng: np.random.Generator
) -> list[str]:
    varied = []
    for term in terms:
        fresh = draw_term(words, labels[int(rng.random() * len(labels))], rng)
        varied.append(term if rng.random() < words.law.kept else fresh)
    return list(dict.fromkeys(varied))


BACKENDS.register("simulator", Simulator())
