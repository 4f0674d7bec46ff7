"""Three real services over one store, to be asked for what cannot be done."""

import dataclasses
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from services.classifier.client import ClassifierClient
from services.classifier.service import register as classifier
from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.task import Task, TaskType
from services.evaluator.client import EvaluatorClient
from services.evaluator.planning import FidelitySpec
from services.evaluator.service import register as evaluator
from services.generator.client import GeneratorClient
from services.generator.planning import GenerationSpec
from services.generator.service import register as generator
from services.rpc.server import in_process
from services.storage.store import Store
from tests.unit.classifier.checkpoint import tiny_checkpoint
from tests.unit.classifier.separable import MULTI, embed, separable_corpus, separable_spec

TASK = Task(TaskType.MULTI_LABEL, ("cane", "lamp"))


@dataclasses.dataclass(frozen=True)
class Services:
    """Three services over one store, and a checkpoint of 20,000 weights."""

    store: Store
    classifier: ClassifierClient
    evaluator: EvaluatorClient
    generator: GeneratorClient
    checkpoint: Path

    def damaged(self, name: str, damage: Callable[[Path], object]) -> Path:
        folder = self.checkpoint.parent / name
        if not folder.exists():
            damage(Path(shutil.copytree(self.checkpoint, folder)))
        return folder

    def fine_tune(self, checkpoint: str | Path, **parameters: object) -> tuple[ArtifactRef, ...]:
        given = {"checkpoint": str(checkpoint), "freeze": 1, "steps": 12, **parameters}
        spec = separable_spec(self.store, MULTI, "fine_tuned_encoder", parameters=given)
        return self.classifier.train(dataclasses.replace(spec, plans=spec.plans[:1]))

    def frozen(self, scale: float, **changes: Any) -> tuple[ArtifactRef, ...]:
        spec = separable_spec(self.store, MULTI, "frozen_encoder", **changes)
        vectors = {
            self.store.put_corpus(c).sha256: self.store.put_arrays(
                {"embeddings": embed(c) * np.float32(scale)}, {}
            )
            for c in (separable_corpus(MULTI, 60, "train"), separable_corpus(MULTI, 40, "test"))
        }
        return self.classifier.train(dataclasses.replace(spec, embeddings=vectors))

    def linear(self, **changes: Any) -> tuple[ArtifactRef, ...]:
        return self.classifier.train(separable_spec(self.store, MULTI, "tfidf_linear", **changes))

    def write(self, backend: str, **changes: Any) -> list[Any]:
        spec = GenerationSpec("g", backend, {}, "label_conditioned", 1, TASK, corpus("r"), "empirical")
        return list(self.generator.generate(dataclasses.replace(spec, **changes), 0, 10))


def corpus(name: str, count: int = 12, task: Task = TASK) -> Corpus:
    return Corpus(
        task,
        tuple(
            Document(f"{name}{i}", f"a {task.labels[i % 2]} of kind {i}", (task.labels[i % 2],), f"{name}{i}")
            for i in range(count)
        ),
    )


def fidelity(services: Services, count: int, metrics: Sequence[str]) -> FidelitySpec:
    def embedded(one: Corpus) -> ArtifactRef:
        rows = np.random.default_rng(len(one)).normal(size=(len(one), 4)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return services.store.put_arrays({"embeddings": rows}, {"encoder": "planted/1"})

    real, written = corpus("real", 40), corpus("written", count)
    return FidelitySpec(real, embedded(real), (written,), (embedded(written),), tuple(metrics))


@contextmanager
def asked(folder: Path) -> Iterator[Services]:
    """Start the services, in this process."""
    store = Store(folder / "store")
    checkpoint = tiny_checkpoint(folder / "checkpoints" / "tiny")
    with ExitStack() as running:
        first, second, third = (
            running.enter_context(in_process(register, store.root))
            for register in (classifier, evaluator, generator)
        )
        yield Services(
            store, ClassifierClient(first), EvaluatorClient(second), GeneratorClient(third), checkpoint
        )
