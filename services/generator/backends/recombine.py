"""Clauses of real documents with the wanted labels, put together anew."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError
from services.domain.labels import jaccard, label_masks
from services.domain.seeds import stream
from services.domain.task import LabelSet, Task
from services.domain.texts import normalised
from services.generator.backends import BACKENDS, Candidate, WriteRequest
from services.generator.clauses import clauses, joined, recombined
from services.generator.parameters import Parameters, number, refuse_unknown
from services.generator.planning import LABEL_CONDITIONED

DEFAULT_DONORS, MOST_DONORS = 4, 50
# Fewer than two would be a copy.
LEAST_DONORS = 2


class Recombine:
    """Puts together what documents of one label set say."""

    version: ClassVar[str] = "1"
    description: ClassVar[str] = (
        "Clauses of several real documents with the wanted label set, put together about where they stood; the "
        "donors are named. Not a language model: every word is a real document's."
    )
    needs_real: ClassVar[bool] = True
    is_llm: ClassVar[bool] = False
    keeps_rejected: ClassVar[bool] = False
    is_finite: ClassVar[bool] = False
    strategies: ClassVar[tuple[str, ...]] = (LABEL_CONDITIONED,)

    def parameter_schema(self) -> dict[str, Any]:
        donors = {
            "type": "integer",
            "minimum": LEAST_DONORS,
            "maximum": MOST_DONORS,
            "default": DEFAULT_DONORS,
            "description": "Real documents, at most, that one document is put together from.",
        }
        return {"type": "object", "additionalProperties": False, "properties": {"donors": donors}}

    def prepare(
        self, task: Task, real: Corpus | None, parameters: Parameters, seed: int
    ) -> "RecombineWriter":
        refuse_unknown(parameters, self.parameter_schema()["properties"], "recombine")
        if real is None:
            raise InvalidInputError("recombine cuts up real documents: name a real corpus", field="real")
        most = round(number(parameters, "donors", DEFAULT_DONORS, LEAST_DONORS, MOST_DONORS))
        return RecombineWriter(real, most)


class RecombineWriter:
    """The clauses of the real documents."""

    label_law = None
    labels_fixed = False

    def __init__(self, real: Corpus, most: int) -> None:
        self._real, self._most = real, most
        self._clauses = [clauses(text) for text in real.texts]
        self._by_text = {normalised(document.text): document for document in real.documents}
        # Equal texts are of one family here, whatever their documents say.
        self._families = [self._by_text[normalised(text)].family for text in real.texts]
        self._masks = label_masks(real.indicator)
        self._eligible = lru_cache(maxsize=None)(self._donors_for)

    def write(self, requests: Sequence[WriteRequest]) -> Iterator[Candidate]:
        for request in requests:
            rng = stream(request.seed, "recombine", request.index)
            blank = Candidate(request.index, "", request.labels, request.index)
            rows = self._eligible(request.labels)
            if self._family_count(rows) < LEAST_DONORS:
                detail = f"fewer than two families of real documents share a label with {', '.join(request.labels)}"
                yield replace(blank, failure="no_donors", detail=detail)
            else:
                yield self._put_together(blank, rows, rng)

    def _put_together(self, blank: Candidate, rows: Sequence[int], rng: np.random.Generator) -> Candidate:
        # The members of a family say nearly the same: only one of them gives.
        by_family = {self._families[rows[int(i)]]: rows[int(i)] for i in rng.permutation(len(rows))}
        chosen = list(by_family.values())[: self._most]
        parts = recombined([self._clauses[row] for row in chosen], rng)
        text = joined([part.clause for part in parts])
        donors = dict.fromkeys(self._real.ids[chosen[part.donor]] for part in parts)
        # Clauses may add up to a real document: screening then rejects it as the copy it is.
        source = self._by_text.get(normalised(text))
        return replace(blank, text=text, donor_ids=tuple(donors), source=source)

    def _donors_for(self, labels: LabelSet) -> tuple[int, ...]:
        """Return the rows with exactly these labels; where they are of one family, the next nearest as well.

        Nearness is the Jaccard similarity of label sets; equally near documents come together, and those
        that share no label never.
        """
        wanted = label_masks(self._real.task.encode([labels]))
        overlap = jaccard(wanted, self._masks)[0]
        rows: tuple[int, ...] = ()
        for level in np.unique(overlap[overlap > 0])[::-1]:
            rows = tuple(int(row) for row in np.flatnonzero(overlap >= level))
            if self._family_count(rows) >= LEAST_DONORS:
                break
        return rows

    def _family_count(self, rows: Sequence[int]) -> int:
        return len({self._families[row] for row in rows})


BACKENDS.register("recombine", Recombine())
