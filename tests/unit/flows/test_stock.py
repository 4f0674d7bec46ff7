"""One stock for all replicates: nobody shares a document, every candidate is accounted for, too few is said."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from flows.design import Design, load_profile
from flows.endpoints import Clients
from flows.stages.accounting import CorpusKey, Written
from flows.stages.asking import held_against
from flows.stages.context import Study
from flows.stages.generating import write_corpus
from flows.stages.loading import Material
from services.domain.corpus import Corpus
from services.domain.document import Document, Provenance
from services.domain.errors import PreconditionError
from services.domain.task import Task, TaskType
from services.generator.client import BackendInfo
from services.generator.planning import GenerationSpec, Outcome
from services.storage.store import Store

TASK = Task(TaskType.MULTI_LABEL, ("a", "b"))
REPLICATES, EACH = 3, 10

Say = Callable[[GenerationSpec, int], str]


def fresh(spec: GenerationSpec, index: int) -> str:
    """Another text for every seed and index."""
    return f"text {index} of writer {spec.seed} with words{index} of its own{spec.seed}"


def forgetful(spec: GenerationSpec, index: int) -> str:
    """The same texts whoever asks, as of a model that has little to say."""
    return f"text {index} that every writer knows by heart{index}"


@dataclass
class Service:
    """A generator service in which every fifth candidate is refused and every seventh fails."""

    say: Say
    finite: int = 0
    source: str = ""
    faults: bool = True
    asked: list[tuple[int, int]] = field(default_factory=list)

    def list_backends(self) -> tuple[BackendInfo, ...]:
        return (BackendInfo("served", "1", False, True, "", "{}", False, bool(self.finite)),)

    def generate(self, spec: GenerationSpec, start: int, count: int) -> Iterator[Outcome]:
        self.asked.append((start, count))
        end = min(start + count, self.finite) if self.finite else start + count
        for index in range(start, end):
            if self.faults and index % 5 == 4:
                yield Outcome(index, rejection_reason="refusal")
            elif self.faults and index % 7 == 6:
                yield Outcome(index, failure_reason="timeout")
            else:
                made = Provenance("g", "served", source_id=self.source)
                name = f"{spec.digest[:8]}-{index}"
                yield Outcome(
                    index, document=Document(name, self.say(spec, index), ("a",), name, provenance=made)
                )


def real(name: str, count: int) -> Corpus:
    return Corpus(
        TASK,
        tuple(Document(f"{name}{i}", f"{name} real {i}", ("a", "b"), f"{name}{i}") for i in range(count)),
    )


def opened(store: Store, service: Service, **changes: Any) -> tuple[Study, Material]:
    generator = {"name": "g", "backend": "served", "label_source": "backend", "draws": "disjoint", **changes}
    values: dict[str, Any] = {
        "name": "stock",
        "replicates": REPLICATES,
        "regimes": (20,),
        "folds": 2,
        "synthetic_documents": EACH,
        "families": ("tfidf_linear",),
        "encoder": "",
        "dataset": {"train": 60, "test": 20, "reference": 0},
        "claims": {"regime": 20},
        "generators": [generator],
    }
    design = Design(**values)
    train, test = store.put_corpus(real("train", 60)).sha256, store.put_corpus(real("test", 20)).sha256
    clients = cast(Clients, type("Fakes", (), {"generator": service}))
    study = Study(design, load_profile("embedded"), clients, store, {})
    return study, Material(TASK, train, test, "", 60, 20, 0)


def shares(study: Study, material: Material) -> list[Written]:
    return [write_corpus(study, material, CorpusKey("g", r)) for r in range(REPLICATES)]


def texts(study: Study, found: list[Written]) -> list[str]:
    return [text for share in found for text in study.corpus(share.corpus).texts]


@pytest.mark.parametrize("finite", [0, 60], ids=["a model", "a file"])
def test_replicates_share_a_stock_out_and_every_candidate_is_accounted_for(store: Store, finite: int) -> None:
    service = Service(fresh, finite)
    study, material = opened(store, service, over=2.0)
    found = shares(study, material)
    assert [share.accepted for share in found] == [EACH] * REPLICATES
    assert len(set(texts(study, found))) == EACH * REPLICATES
    asked = sum(count for _, count in service.asked)
    rejected = sum(sum(share.rejected.values()) for share in found)
    failed = sum(sum(share.failed.values()) for share in found)
    # All that was asked for stands in some replicate's account, and the service was asked for no more.
    assert asked == sum(share.requested for share in found) == EACH * REPLICATES + rejected + failed
    assert rejected and failed
    assert not any(share.exhausted for share in found)


def test_a_second_look_asks_nobody_and_all_threads_get_the_same(store: Store) -> None:
    service = Service(fresh)
    study, material = opened(store, service, over=2.0)
    with ThreadPoolExecutor(REPLICATES) as pool:
        found = list(pool.map(lambda r: write_corpus(study, material, CorpusKey("g", r)), range(REPLICATES)))
    asked = len(service.asked)
    assert shares(study, material) == found
    assert len(service.asked) == asked
    # Written once: the first indices were asked for once by each replicate, never again.
    assert [start for start, _ in service.asked].count(0) == REPLICATES


def test_what_another_replicate_has_is_rejected_like_any_repetition(store: Store) -> None:
    study, material = opened(store, Service(forgetful, faults=False), over=10.0)
    found = shares(study, material)
    assert len(set(texts(study, found))) == EACH * REPLICATES
    reasons = {reason for share in found for reason in share.rejected}
    assert reasons <= {"copy_of_synthetic", "near_duplicate_of_synthetic"} and reasons
    alone, material = opened(store, Service(forgetful, faults=False), draws="fresh")
    # Each for itself, as before: the same documents three times.
    assert len(set(texts(alone, shares(alone, material)))) == EACH


def test_a_file_is_dealt_on_until_everybody_has_enough(store: Store) -> None:
    # 30 of 44 rows pass, so that the last replicate is dealt rows that the first two did not need.
    service = Service(fresh, finite=44)
    study, material = opened(store, service)
    found = shares(study, material)
    assert [share.accepted for share in found] == [EACH] * REPLICATES
    assert sum(share.requested for share in found) <= 44


@pytest.mark.parametrize(
    ("finite", "over", "says"),
    [
        (25, 1.2, "there are no more: add documents"),
        (0, 1.2, "over = 1.2 allows no more candidates: raise it"),
    ],
)
def test_too_few_are_counted_before_anything_is_trained(
    store: Store, finite: int, over: float, says: str
) -> None:
    service = Service(fresh, finite)
    study, material = opened(store, service, over=over)
    with pytest.raises(PreconditionError) as caught:
        write_corpus(study, material, CorpusKey("g", 1))
    message = caught.value.message
    assert caught.value.metadata["field"] == "generators.g"
    assert "3 replicates of 10 need 30" in message and says in message
    asked = sum(count for _, count in service.asked)
    assert (asked == 36) if not finite else (f"{finite} candidates asked for" in message)
    accepted = sum(1 for i in range(finite) if i % 5 != 4 and i % 7 != 6) if finite else 0
    assert not finite or f"has {accepted} documents that passed" in message
    # The shortage is on record: asking again costs no further candidate.
    with pytest.raises(PreconditionError):
        write_corpus(study, material, CorpusKey("g", 0))
    assert sum(count for _, count in service.asked) == asked


def test_a_source_that_a_replicate_does_not_hold_bars_it_from_there_only(store: Store) -> None:
    study, material = opened(store, Service(fresh), over=10.0)
    held = [held_against(study, material, CorpusKey("g", r)).visible for r in range(REPLICATES)]
    some = [name for name in sorted(held[0]) if sum(name in one for one in held) < REPLICATES]
    holders = sum(some[0] in one for one in held)
    study, material = opened(store, Service(fresh, source=some[0], faults=False), over=10.0)
    with pytest.raises(PreconditionError, match="source_outside_regime") as caught:
        shares(study, material)
    # A third of the pool is in each regime: whoever holds the source has all of its documents.
    accepted = int(caught.value.message.split(" has ")[1].split(" ")[0])
    assert accepted == EACH * holders


def test_a_damaged_share_is_written_anew(store: Store) -> None:
    study, material = opened(store, Service(fresh), over=2.0)
    found = shares(study, material)
    store.objects.quarantine(found[1].corpus)
    assert not store.objects.has(found[1].corpus)
    assert shares(study, material) == found
    assert store.objects.has(found[1].corpus)


def test_another_number_of_replicates_is_another_stock_for_cells(store: Store) -> None:
    from flows.cells import Grid
    from flows.experiments import synthesis

    def identity(**changes: Any) -> str:
        study, _ = opened(store, Service(fresh), **{k: v for k, v in changes.items() if k != "replicates"})
        design = study.design.model_copy(update={"replicates": changes.get("replicates", REPLICATES)})
        return Grid(design, study.profile, {}).cell(synthesis(20, "g", "tfidf_linear"), 0).id

    assert identity(replicates=5) != identity()
    assert identity(draws="fresh", replicates=5) == identity(draws="fresh")
    # How much may be asked for decides whether there is a stock, not what is in it.
    assert identity(over=3.0) == identity()
