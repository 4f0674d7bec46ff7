"""One study in progress: its stages in order, each resumable from the store."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from flows.cells import Batch, Cell, batches
from flows.design import Design, Profile
from flows.endpoints import addresses, connect, running
from flows.lacking import runnable
from flows.mending import Mending
from flows.progress import (
    CORPUS_SECONDS,
    TAIL_SECONDS,
    TEXT_SECONDS,
    CellProgress,
    Progress,
    ProgressFile,
    Timings,
)
from flows.stages import encoding, generating, loading, searching, training
from flows.stages.accounting import CorpusKey, Written
from flows.stages.context import Study, StudyPlan, algorithms, check_names, plan_study
from flows.stages.loading import Material
from flows.stages.training import Trained
from services.domain.artifact import ArtifactRef
from services.domain.errors import DataLossError, StudyError
from services.storage.errors import require_writable
from services.storage.store import Store

T = TypeVar("T")

STATE_VARIABLE = "SYNTHTRIAL_STATE"
RESULTS_VARIABLE = "SYNTHTRIAL_RESULTS"

# Faster than any corpus is written: the store had it.
QUICK_SECONDS = 0.25


class StudyRun:
    """What the stages have found so far.

    A plain class, so that an orchestrator that looks into its arguments does
    not copy it. Stages may be called from several threads.
    """

    def __init__(self, study: Study, plan: StudyPlan, progress: Progress, results: Path) -> None:
        self.study = study
        self.plan = plan
        self.progress = progress
        self.results = results
        self.material: Material | None = None
        self.written: dict[CorpusKey, Written] = {}
        self.embeddings: dict[str, ArtifactRef] = {}
        self.trained: dict[str, Trained] = {}
        self.searched: dict[int, list[searching.Searched]] = {}
        self.timings = Timings()
        self._mending = Mending(study.store.objects, self._inputs, self._restore)
        self._cells = CellProgress(progress, len(plan.cells))
        self._lock = threading.Lock()

    def with_study(self, study: Study) -> "StudyRun":
        """Return a fresh run of another study over the same services."""
        plan = plan_study(study.design, study.profile, study.grid)
        return StudyRun(study, plan, self.progress, self.results)

    def load(self) -> Material:
        """Load and split the real documents."""
        require_writable(self.results)
        with self.timings.of("load"):
            self.material = loading.load(self.study)
        keys = generating.corpus_keys(self.study)
        self.progress.expect("write", len(keys) * CORPUS_SECONDS)
        design = self.study.design
        embedded = [design.generator(key.generator) for key in keys if self._embeds(key)]
        self.progress.expect("encode", sum(map(design.documents_of, embedded)) * TEXT_SECONDS)
        self._cells.found(0)
        self.progress.expect("tail", TAIL_SECONDS)
        return self.material

    def corpus_keys(self, number: int) -> list[CorpusKey]:
        """Return the corpora of one replicate."""
        return [key for key in generating.corpus_keys(self.study) if key.replicate == number]

    def write(self, number: int) -> int:
        """Write and screen the corpora of one replicate; return how many documents there are."""
        with self.timings.of("write"):
            for key in self.corpus_keys(number):
                started = time.monotonic()
                written = self._mending.mended(partial(generating.write_corpus, self.study, self.loaded, key))
                quick = time.monotonic() - started < QUICK_SECONDS
                with self._lock:
                    self.written[key] = written
                    done = len(self.written)
                self.progress.advance("write", done * CORPUS_SECONDS, f"writing {key.generator}", found=quick)
        return sum(self.written[key].document_count for key in self.corpus_keys(number))

    def corpora(self) -> list[Written]:
        """Return the written corpora in a fixed order, whichever was written first."""
        order = sorted(self.written, key=lambda key: (key.generator, key.regime, key.replicate))
        return [self.written[key] for key in order]

    def needs_encoder(self) -> bool:
        """Say whether the design names an encoder."""
        return bool(self.study.design.encoder)

    def encode(self) -> int:
        """Embed all corpora; return how many distinct texts there are."""
        with self.timings.of("encode"):
            embedded = [w for w in self.corpora() if self._embeds(w.key)]
            corpora = encoding.segments(self.loaded, embedded)
            count = self._mending.mended(lambda: encoding.count_texts(self.study, corpora))
            self.progress.expect("encode", count * TEXT_SECONDS)
            started = time.monotonic()
            found = self._mending.mended(
                lambda: encoding.encode(self.study, self.loaded.train, corpora, self._encoded)
            )
            self.embeddings = dict(found)
            quick = time.monotonic() - started < count * TEXT_SECONDS / 10
        self.progress.finish("encode", "embedded all texts", found=quick)
        return count

    def batches(self) -> list[Batch]:
        """Return the batches with a cell that the store lacks; keep what it has."""
        for cell in self.plan.cells:
            found = self._stored(cell)
            if found is not None:
                self.trained[cell.id] = found
        self._cells.found(len(self.trained))
        return [b for b in batches(self.plan.cells) if any(c.id not in self.trained for c in b.cells)]

    def train(self, batch: Batch) -> int:
        """Train and score what is missing of a batch; return how many cells that was."""
        with self.timings.of("train"):
            count = self._mending.mended(lambda: self._train(batch))
        for cell in batch.cells:
            self.trained[cell.id] = self._finished(cell)
        return count

    def _train(self, batch: Batch) -> int:
        return training.train_batch(
            self.study,
            self.loaded,
            self.written,
            self.embeddings,
            batch,
            on_progress=lambda done, total: self._cells.trained(batch.name, done),
        )

    def search(self, number: int) -> int:
        """Evaluate the indexes of one replicate; return how many readings there are."""
        with self.timings.of("search"):
            self.searched[number] = self._mending.mended(
                lambda: searching.search_replicate(
                    self.study, self.loaded, self.written, self.embeddings, self.plan.searches, number
                )
            )
        return len(self.searched[number])

    def report(self) -> Path:
        """Compare, measure, write the tables and render the report; return its path."""
        from flows.stages import reporting

        with self.timings.of("report"):
            path = self._mending.mended(lambda: reporting.write(self))
        self.progress.finish("tail", "report written")
        return path

    def verdicts(self) -> list[dict[str, Any]]:
        """Return the declared claims as rows for a dashboard."""
        from flows.stages import reporting

        return reporting.verdict_rows(self)

    @property
    def set_aside(self) -> list[str]:
        """Digests of objects that were damaged and computed anew."""
        return self._mending.set_aside

    @property
    def loaded(self) -> Material:
        """The real documents, once `load` has run."""
        if self.material is None:
            raise StudyError("the real documents were not loaded yet: call load() first")
        return self.material

    def _stored(self, cell: Cell) -> Trained | None:
        """Return a cell's stored result; a damaged one is set aside, and the cell is trained again."""
        try:
            return training.finished(self.study, cell)
        except DataLossError as error:
            self._mending.put_aside(error)
            return None

    def _finished(self, cell: Cell) -> Trained:
        found = training.finished(self.study, cell)
        if found is None:
            raise StudyError(f"cell {cell.id} was trained but its result is not in the store", cell=cell.id)
        return found

    def _embeds(self, key: CorpusKey) -> bool:
        return self.study.design.generator(key.generator).embeds(key.replicate)

    def _encoded(self, done: int, total: int) -> None:
        self.progress.advance("encode", done * TEXT_SECONDS, f"embedding texts, {done:,} of {total:,}")

    def _inputs(self) -> tuple[str, ...]:
        """Return what nothing can compute anew."""
        return self.loaded.train, self.loaded.test, self.loaded.reference

    def _restore(self) -> None:
        """Compute what the store lost, as far as stages have already gone."""
        for key in list(self.written):
            self.written[key] = generating.write_corpus(self.study, self.loaded, key)
        if self.embeddings:
            self.encode()
        if self.trained:
            self.trained.clear()
            for batch in self.batches():
                self.train(batch)
        for number in list(self.searched):
            self.search(number)


def train_everything(run: StudyRun) -> None:
    """Run the stages up to the measured cells."""
    replicates = range(run.study.design.replicates)
    run.load()
    in_parallel(run.write, replicates)
    if run.needs_encoder():
        run.encode()
    in_parallel(run.train, run.batches())


def run_everything(run: StudyRun) -> Path:
    """Run all stages one after another, without an orchestrator."""
    if not run.plan.is_empty:
        train_everything(run)
    if run.plan.searches:
        in_parallel(run.search, range(run.study.design.replicates))
    return run.report()


def in_parallel(stage: Callable[[T], object], items: Iterable[T]) -> None:
    """Run a stage over its items, as many at once as there are processors; the first error ends it."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(stage, items))


@contextmanager
def open_run(design: Design, profile: Profile, store: Store | None = None) -> Iterator[StudyRun]:
    """Connect to the services, starting those that are to run in this process.

    Environment: SYNTHTRIAL_STORE, SYNTHTRIAL_STATE (.synthtrial), SYNTHTRIAL_RESULTS
    (results), SYNTHTRIAL_<SERVICE> for a service's address.
    """
    store = store or Store.from_environment()
    with running(addresses(profile), store.root) as found:
        clients = connect(found)
        study = Study(runnable(design, profile), profile, clients, store, algorithms(clients))
        check_names(study)
        plan = plan_study(study.design, profile, study.grid)
        state = Path(os.environ.get(STATE_VARIABLE, ".synthtrial"))
        results = Path(os.environ.get(RESULTS_VARIABLE, "results"))
        yield StudyRun(study, plan, Progress(ProgressFile.of(state, design.digest)), results)
