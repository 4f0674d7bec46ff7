"""A worker that memory ran out for, one way or another: its job fails alone, and says so."""

import contextlib
import dataclasses
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from services.classifier.client import ClassifierClient
from services.classifier.runs import RunState, TrainingRun
from services.classifier.specification import TrainingSpec
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import WorkerDiedError
from services.domain.task import Task, TaskType
from services.generator.client import GeneratorClient
from services.generator.planning import GenerationSpec, Outcome
from services.rpc.channel import forget, wait_until_ready
from services.rpc.worker import OOM_SCORE
from services.storage.store import Store
from tests.integration.stubs import REPOSITORY, free_port
from tests.unit.classifier.separable import MULTI, part, plan, separable_spec

# Families that end as a job does for which there is no memory: the kernel kills its process, an
# allocation fails, torch's does, the address space ends, or a library gives the process up.
FAMILIES = """
import os, resource, signal, time
from services.classifier.families import FAMILIES
from services.classifier.families.tfidf_linear import TfidfLinear


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def refused():
    raise MemoryError("Unable to allocate 7.45 GiB for an array")


def refused_by_torch():
    raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes")


def out_of_room():
    import numpy as np

    pages = int(open("/proc/self/statm").read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + (64 << 20),) * 2)
    np.ones(1 << 30)


def given_up():
    os.abort()


class Ends(TfidfLinear):
    def prepare(self, source, parameters):
        return Fits(super().prepare(source, parameters), ENDS[type(self).__name__])


class Fits:
    def __init__(self, prepared, end):
        self.prepared, self.end = prepared, end

    def fit(self, examples):
        if len(examples.rows) == 60:
            time.sleep(0.5)  # until the plan before is reported
            self.end()
        return self.prepared.fit(examples)


ENDS = {end.__name__: end for end in (killed, refused, refused_by_torch, out_of_room, given_up)}
for name in ENDS:
    FAMILIES.register(name, type(name, (Ends,), {})())
"""
BACKEND = """
import os, signal
from services.generator.backends import BACKENDS
from services.generator.backends.markov import Markov


class Killed(Markov):
    def prepare(self, *given):
        return Writer(super().prepare(*given))


class Writer:
    label_law, labels_fixed = None, False

    def __init__(self, writer):
        self.writer = writer

    def write(self, requests):
        for request in requests:
            if request.index == 100:
                os.kill(os.getpid(), signal.SIGKILL)
            yield from self.writer.write([request])


BACKENDS.register("killed", Killed())
"""


@contextlib.contextmanager
def running(name: str, store: Store, plugins: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Run a service as a program of its own, with two workers."""
    address = f"127.0.0.1:{free_port()}"
    environment = {
        "LISTEN": address,
        "SYNTHTRIAL_STORE": str(store.root),
        "SYNTHTRIAL_PLUGINS": str(plugins),
        "SYNTHTRIAL_WORKERS": "2",
        "SYNTHTRIAL_THREADS": "1",
        "SYNTHTRIAL_DIE_WITH_PARENT": "1",
    }
    with subprocess.Popen(
        [sys.executable, "-m", f"services.{name}"], env={**os.environ, **environment}, cwd=REPOSITORY
    ) as process:
        try:
            wait_until_ready(address, 60)
            yield address, psutil.Process(process.pid)
        finally:
            process.kill()
            forget(address)


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugins")
    for kind, text in (("families", FAMILIES), ("backends", BACKEND)):
        (folder / kind).mkdir()
        (folder / kind / "ends.py").write_text(text)
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("lost") / "store")


@pytest.fixture(scope="module")
def service(kept: Store, plugins: Path) -> Iterator[tuple[ClassifierClient, psutil.Process]]:
    with running("classifier", kept, plugins) as (address, process):
        yield ClassifierClient(address), process


def spec_of(store: Store, family: str, seed: int = 7) -> TrainingSpec:
    """Return a plan that every family here can fit, then one that it ends at."""
    spec = separable_spec(store, MULTI, family, seed=seed)
    whole, twin = spec.plans
    return dataclasses.replace(spec, plans=(twin, whole))


ENDS = {
    "killed": (
        "SIGKILL",
        "the worker process was killed (SIGKILL), usually by the kernel because memory ran out",
    ),
    "refused": ("MemoryError", "memory ran out (MemoryError: Unable to allocate 7.45 GiB"),
    "refused_by_torch": ("RuntimeError", "memory ran out (RuntimeError: DefaultCPUAllocator"),
    "out_of_room": ("MemoryError", "Unable to allocate 8.00 GiB"),
    "given_up": ("SIGABRT", "the worker process ended (SIGABRT)"),
}


@pytest.mark.parametrize("family", ENDS)
def test_a_run_without_memory_fails_alone_and_says_so(
    family: str, service: tuple[ClassifierClient, psutil.Process], kept: Store
) -> None:
    client, _ = service
    others: list[TrainingRun] = []
    beside = separable_spec(kept, MULTI, "tfidf_linear", seed=len(family))
    waiting = threading.Thread(target=lambda: others.extend(client.watch(client.create(beside).id)))
    waiting.start()
    run = list(client.watch(client.create(spec_of(kept, family)).id))[-1]
    waiting.join(60)
    how, says = ENDS[family]
    assert (run.state, run.error_reason) == (RunState.FAILED, WorkerDiedError.reason)
    assert run.error_metadata["ended"].startswith(how)
    assert says in run.error_message and "other jobs go on" in run.error_message
    advised = (
        "its last words are in the service's log" if how == "SIGABRT" else "ask again for less at a time"
    )
    assert advised in run.error_message
    assert (run.done, run.total, others[-1].state) == (1, 2, RunState.SUCCEEDED)


def test_the_service_trains_on_with_what_was_kept(
    service: tuple[ClassifierClient, psutil.Process], kept: Store
) -> None:
    client, process = service
    with pytest.raises(WorkerDiedError, match="memory ran out"):
        client.train(spec_of(kept, "refused", seed=8))
    spec = spec_of(kept, "refused", seed=8)
    small = plan(part(spec.segments[0], range(20)))
    (first, *_), (again,) = (
        client.train(dataclasses.replace(spec, plans=plans))
        for plans in ((spec.plans[0], small), spec.plans[:1])
    )
    assert first == again
    workers = [w for w in process.children(recursive=True) if "services.rpc.worker" in w.cmdline()]
    assert workers
    # Where memory runs out the kernel takes these first, and not the service.
    scores = [int(Path(f"/proc/{p.pid}/oom_score_adj").read_text()) for p in (process, *workers)]
    assert scores[1:] == [max(OOM_SCORE, scores[0])] * len(workers)


def test_documents_written_before_the_end_arrive(kept: Store, plugins: Path) -> None:
    task = Task(TaskType.MULTI_LABEL, ("cane", "lamp"))
    real = Corpus(
        task,
        tuple(
            Document(f"r{i}", f"a {task.labels[i % 2]} of kind {i}", (task.labels[i % 2],), f"r{i}")
            for i in range(12)
        ),
    )
    spec = GenerationSpec("g", "killed", {}, "label_conditioned", 1, task, real, "empirical")
    seen: list[Outcome] = []
    with running("generator", kept, plugins) as (address, _):
        client = GeneratorClient(address)
        with pytest.raises(WorkerDiedError, match=r"was killed \(SIGKILL\)"):
            seen.extend(client.generate(spec, 0, 200))
        # In the batches in which a backend reports.
        assert [outcome.index for outcome in seen] == list(range(64))
        markov = dataclasses.replace(spec, backend="markov")
        assert len(list(client.generate(markov, 0, 70))) == 70
