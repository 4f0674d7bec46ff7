"""A part of the study `full`: its documents, corpora, embeddings and plans, made by the study's own stages."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.cells import Batch, Cell, batches
from flows.design import Design, load_profile
from flows.endpoints import addresses, connect, running
from flows.stages import encoding, generating, loading
from flows.stages.accounting import CorpusKey, Written
from flows.stages.context import Study, algorithms, plan_study
from flows.stages.loading import Material
from flows.stages.training import compose
from services.classifier.specification import TrainingSpec
from services.domain.artifact import ArtifactRef
from services.domain.plan import TrainingPlan
from services.storage.store import Store

GENERATORS = {"oracle": "backend", "noisy": "empirical", "drifted": "empirical"}
# The study's own sizes, with two of its eight replicates and the train pool that they need.
FULL = Design.model_validate(
    {
        "name": "benchmarks",
        "replicates": 2,
        "encoder": "minilm_int8",
        "experiments": ["a_e1_grid", "a_e2_controls"],
        "dataset": {"train": 2400, "test": 1200, "reference": 0},
        "claims": {"generators": ["oracle"]},
        "generators": [{"name": name, "label_source": source} for name, source in GENERATORS.items()],
    }
)


@dataclass(frozen=True)
class ReducedStudy:
    """Everything that training reads, already in the store."""

    study: Study
    material: Material
    written: Mapping[CorpusKey, Written]
    embeddings: Mapping[str, ArtifactRef]

    @property
    def cells(self) -> tuple[Cell, ...]:
        return plan_study(self.study.design, self.study.profile, self.study.grid).cells

    def plan(self, cell: Cell) -> TrainingPlan:
        return compose(self.study, self.material, self.written, cell).plan

    def specification(self, family: str, cells: Collection[Cell], replicate: int = 0) -> TrainingSpec:
        """Return one training run over some cells' plans."""
        plans = tuple(self.plan(cell) for cell in cells)
        used = tuple(dict.fromkeys(sha for plan in plans for sha in plan.segments))
        return TrainingSpec(
            task=self.material.task,
            family=family,
            parameters={},
            segments=tuple(ArtifactRef.stored(sha) for sha in used),
            plans=plans,
            test=ArtifactRef.stored(self.material.test, self.material.test_count),
            embeddings={sha: self.embeddings[sha] for sha in (*used, self.material.test)},
            encoder=self.study.design.encoder,
            folds=self.study.design.folds,
            seed=self.study.seed("train", replicate),
        )

    def batches(self, regimes: Collection[int]) -> tuple[Batch, ...]:
        """Return the batches in which the study trains its cells, of some regimes."""
        return batches(cell for cell in self.cells if cell.regime in regimes)


@contextmanager
def reduced_study(design: Design = FULL) -> Iterator[ReducedStudy]:
    """Write, embed and yield a study; nothing of it is timed."""
    profile, store = load_profile("embedded"), Store(Path(_folder().name) / "store")
    with running(addresses(profile, {}), store.root) as found:
        clients = connect(found)
        yield _prepared(Study(design, profile, clients, store, algorithms(clients)))


@lru_cache(maxsize=1)
def _folder() -> "TemporaryDirectory[str]":
    """Return a folder that lasts as long as this process: benchmarks after the first find their study there."""
    return TemporaryDirectory()


def _prepared(study: Study) -> ReducedStudy:
    material = loading.load(study)
    written = {key: generating.write_corpus(study, material, key) for key in generating.corpus_keys(study)}
    corpora = encoding.segments(material, list(written.values()))
    embeddings = encoding.encode(study, material.train, corpora, lambda done, total: None)
    return ReducedStudy(study, material, written, embeddings)
