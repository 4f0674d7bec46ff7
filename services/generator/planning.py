"""What is asked for: the specification of a generator's corpus, and the labels of each candidate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.digest import spec_digest
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.seeds import stream
from services.domain.task import LabelSet, Task, TaskType

LABEL_SOURCES = ("given", "empirical", "backend")
LABEL_CONDITIONED, PARAPHRASE = "label_conditioned", "paraphrase"
STRATEGIES = (LABEL_CONDITIONED, PARAPHRASE)
LONGEST_SEED = 2**63

DrawLabels = Callable[[int], LabelSet | None]


@dataclass(frozen=True)
class GenerationSpec:
    """Everything that candidate i depends on, besides i.

    Attributes:
        generator: The name the study gives it; recorded as provenance.
        strategy: "label_conditioned" (a new text about a label set) or "paraphrase" (a real document in
            other words, under its own labels; with label source "empirical").
        real: What the backend may learn from and rewrite, and the joint distribution of "empirical"; a
            small corpus may come as it is.
        label_source: "given" (drawn from `label_sets` with replacement), "empirical" (drawn from the
            real documents with replacement) or "backend" (the backend's own law).
        label_sets: For "given" only.
        genre: The kind of text wanted; empty for the backend's default.

    Raises:
        InvalidInputError: An unknown label source or strategy, a seed out of range, or label sets
            that are missing, empty, outside the task or more than a single-label task allows.
    """

    generator: str
    backend: str
    parameters: Mapping[str, Any]
    strategy: str
    seed: int
    task: Task
    real: ArtifactRef | Corpus | None
    label_source: str
    label_sets: tuple[LabelSet, ...] = ()
    genre: str = ""

    def __post_init__(self) -> None:
        _check_choice(self.label_source, LABEL_SOURCES, "label_source")
        _check_choice(self.strategy, STRATEGIES, "strategy")
        if not 0 <= self.seed < LONGEST_SEED:
            raise InvalidInputError(f"a seed lies in [0, 2^63), {self.seed} does not", field="seed")
        if self.label_source == "given":
            _check_label_sets(self.label_sets, self.task)
        if self.label_source == "empirical" and self.real is None:
            raise InvalidInputError(
                "label source 'empirical' draws from real documents: name a real corpus, or use 'given'",
                field="real",
            )

    @property
    def digest(self) -> str:
        """The digest of everything, by which documents of different corpora have different ids."""
        return spec_digest(
            {
                "generator": self.generator,
                "backend": self.backend,
                "parameters": dict(self.parameters),
                "strategy": self.strategy,
                "seed": self.seed,
                "task": [self.task.type, *self.task.labels],
                "real": _identity(self.real),
                "label_source": self.label_source,
                "label_sets": self.label_sets,
                "genre": self.genre,
            }
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one candidate: a document, a rejection or a failure, never two of them.

    `detail` says more for a person; for a document it names a finding of the screening that its
    backend does not act on. `text` is what was rejected.
    """

    index: int
    document: Document | None = None
    rejection_reason: str = ""
    failure_reason: str = ""
    detail: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        if [self.document is not None, bool(self.rejection_reason), bool(self.failure_reason)].count(
            True
        ) != 1:
            raise ValueError(f"outcome {self.index} has to be one of document, rejection and failure")


def label_drawer(spec: GenerationSpec, real: Corpus | None, own: DrawLabels | None) -> DrawLabels:
    """Return the function from a candidate's index to its label set.

    Args:
        spec: Its seed and index alone decide; how many are asked for, and in which order, does not.
        real: The corpus that `spec.real` is or refers to.
        own: The backend's label law, None where it has none.

    Raises:
        InvalidInputError: The backend has no label law, but the specification asks for it.
    """
    if spec.label_source == "backend":
        if own is None:
            raise InvalidInputError(
                f"backend {spec.backend!r} has no label law for this task: use label source 'empirical' or 'given'",
                field="label_source",
            )
        return own
    options = spec.label_sets if real is None or spec.label_source == "given" else _label_sets(real)
    return lambda index: options[int(stream(spec.seed, "label_set", index).integers(len(options)))]


def _label_sets(corpus: Corpus) -> tuple[LabelSet, ...]:
    return tuple(document.labels for document in corpus.documents)


def _identity(real: ArtifactRef | Corpus | None) -> object:
    if isinstance(real, Corpus):
        return [[document.id, document.text, document.labels] for document in real.documents]
    return real.sha256 if real else ""


def _check_choice(value: str, choices: tuple[str, ...], field: str) -> None:
    if value not in choices:
        raise InvalidInputError(f"{field} is one of {', '.join(choices)}, not {value!r}", field=field)


def _check_label_sets(label_sets: tuple[LabelSet, ...], task: Task) -> None:
    if not label_sets:
        raise InvalidInputError("label source 'given' needs label sets", field="label_sets")
    for i, labels in enumerate(label_sets):
        if not labels or (task.type is TaskType.SINGLE_LABEL and len(labels) != 1):
            raise InvalidInputError(
                f"label set {i} has {len(labels)} labels, which a {task.type} task does not allow",
                field=f"label_sets[{i}]",
            )
        for label in labels:
            if label not in task.labels:
                raise InvalidInputError(
                    f"label {label!r} of label set {i} is not among the task's {len(task.labels)} labels",
                    field=f"label_sets[{i}]",
                )
