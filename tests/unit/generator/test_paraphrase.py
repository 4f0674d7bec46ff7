"""Paraphrases: which source each has, when it is asked for again, and what is rejected."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.task import Task, TaskType
from services.generator.backends import BACKENDS, Candidate, WriteRequest
from services.generator.dealing import source_dealer
from services.generator.planning import GenerationSpec, Outcome
from services.generator.synthesis import ATTEMPTS, Prepared, prepare
from services.storage.store import Store

TASK = Task(TaskType.MULTI_LABEL, ("a", "b"))
REAL = Corpus(
    TASK, tuple(Document(f"d{i}", f"Text number {i}.", ("a", "b")[: 1 + i % 2], f"f{i}") for i in range(7))
)
SPEC = GenerationSpec("gen", "eda", {}, "paraphrase", 3, TASK, REAL, "empirical")

Say = Callable[[WriteRequest], str]


@dataclass
class Sayer:
    """Writes what a test says, and remembers with which seeds it was asked."""

    say: Say
    seeds: list[int] = field(default_factory=list)
    label_law: ClassVar[None] = None
    labels_fixed: ClassVar[bool] = False

    def write(self, requests: Sequence[WriteRequest]) -> Iterator[Candidate]:
        for request in requests:
            self.seeds.append(request.seed)
            yield Candidate(request.index, self.say(request), request.labels, request.index)


def saying(say: Say, store: Store, **changes: Any) -> Prepared:
    return replace(prepare(SPEC, store), writer=Sayer(say), **changes)


def source_of(request: WriteRequest) -> Document:
    assert request.source is not None
    return request.source


def source_ids(outcomes: list[Outcome]) -> list[str]:
    made = [o.document.provenance for o in outcomes if o.document]
    return [provenance.source_id for provenance in made if provenance]


@pytest.mark.parametrize("times", [1, 2, 20])
def test_times_k_rewrites_every_source_k_times(times: int, store: Store) -> None:
    fresh = saying(lambda request: f"Fresh words {request.index}.", store)
    used = Counter(source_ids(list(fresh.outcomes(0, times * len(REAL)))))
    assert used == dict.fromkeys(REAL.ids, times)


def test_source_depends_on_seed_and_index_only() -> None:
    deal, again = source_dealer(SPEC, REAL), source_dealer(SPEC, REAL)
    assert [deal(i).id for i in range(30)] == [again(i).id for i in reversed(range(30))][::-1]
    orders = {tuple(source_dealer(replace(SPEC, seed=s), REAL)(i).id for i in range(7)) for s in range(9)}
    assert len(orders) > 1


def test_copy_is_asked_for_again_with_other_seeds(store: Store) -> None:
    def say(request: WriteRequest) -> str:
        copied = source_of(request).text.upper()
        return copied if request.seed == SPEC.seed else "Something else altogether."

    prepared = saying(say, store)
    (outcome,) = prepared.outcomes(0, 1)
    assert outcome.document is not None and outcome.document.provenance is not None
    assert outcome.document.provenance.attempt == 2
    assert len(set(prepared.writer.seeds)) == 2  # type: ignore[attr-defined]


def test_what_stays_a_copy_is_rejected_and_counted(store: Store) -> None:
    prepared = saying(lambda request: f"{source_of(request).text.lower()} !", store)
    outcomes = list(prepared.outcomes(0, 10))
    assert [o.rejection_reason for o in outcomes] == ["copy_of_source"] * 10
    assert len(prepared.writer.seeds) == 10 * ATTEMPTS  # type: ignore[attr-defined]


def test_copy_is_rejected_even_where_screening_only_counts(store: Store) -> None:
    prepared = saying(lambda r: source_of(r).text, store, backend=BACKENDS.get("simulator"))
    assert {o.rejection_reason for o in prepared.outcomes(0, 5)} == {"copy_of_source"}


def test_what_is_no_copy_is_asked_for_once(store: Store) -> None:
    prepared = saying(lambda request: f"Fresh words {request.index}.", store)
    list(prepared.outcomes(0, 10))
    assert prepared.writer.seeds == [SPEC.seed] * 10  # type: ignore[attr-defined]


def test_family_and_labels_are_those_of_the_source(store: Store) -> None:
    by_id = {document.id: document for document in REAL.documents}
    for outcome in saying(lambda request: f"Fresh words {request.index}.", store).outcomes(0, 14):
        assert outcome.document is not None and outcome.document.provenance is not None
        source = by_id[outcome.document.provenance.source_id]
        assert (outcome.document.labels, outcome.document.family) == (source.labels, source.family)
        assert outcome.document.provenance.requested_labels == source.labels


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"backend": "markov"}, "strategy", "label_conditioned"),
        ({"strategy": "label_conditioned"}, "strategy", "paraphrase"),
        ({"label_source": "given", "label_sets": (("a",),)}, "label_source", "empirical"),
        ({"label_source": "backend"}, "label_source", "empirical"),
        ({"label_source": "backend", "real": None}, "real", "real"),
    ],
)
def test_what_cannot_be_paraphrased_is_refused(
    changes: dict[str, Any], field: str, says: str, store: Store
) -> None:
    with pytest.raises(InvalidInputError, match=says) as error:
        prepare(replace(SPEC, **changes), store)
    assert error.value.field == field
