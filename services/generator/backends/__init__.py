"""What writes documents: one interface for simulators, learners, files and model servers.

A backend is one module of this folder (or of the plug-in folder `backends`) that registers
an instance. `prepare` does what is done once (learn, read a file, check parameters); the
writer it returns turns requests into candidates, one for one and in order. A candidate
depends on its request and on what was prepared, never on the requests around it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.registry import Registry
from services.domain.task import LabelSet, Task
from services.generator.parameters import Parameters
from services.generator.planning import LABEL_CONDITIONED


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """Asks for one candidate.

    Attributes:
        index: The candidate's position in the corpus; all its randomness hangs on it and `seed`.
        seed: The seed of the whole corpus.
        labels: What the document is to be about.
        own_labels: Whether `labels` came from the backend's own label law.
        genre: The kind of text wanted; empty for the backend's default.
        source: The document to rewrite, where the strategy has one.
        exemplars: Documents to show as examples.
    """

    index: int
    seed: int
    labels: LabelSet
    own_labels: bool = False
    genre: str = ""
    source: Document | None = None
    exemplars: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a backend wrote for one request.

    Attributes:
        text: Empty where `failure` says why nothing was written.
        labels: What the document is labelled with; the requested labels for most backends.
        relative: The index of the candidate whose family this one joins; its own for heads.
        source: The real document it was copied or rewritten from, named in its provenance.
        source_id: What the backend says it was written from, where that is no document at hand.
        donor_ids: Real documents of which parts stand in the text, where no single one is its source.
        truncated: Whether the text stops because it reached the length limit.
        failure: Why nothing was written, in one word; `detail` says more.
    """

    index: int
    text: str
    labels: LabelSet
    relative: int
    genre: str = ""
    source: Document | None = None
    source_id: str = ""
    truncated: bool = False
    tokens_in: int = 0
    tokens_out: int = 0
    attempt: int = 1
    raw_text: str = ""
    failure: str = ""
    detail: str = ""
    donor_ids: tuple[str, ...] = ()
    prompt_family: str = ""
    prompt_digest: str = ""


class LabelLaw(Protocol):
    """A backend's own way to decide what its documents are about."""

    def __call__(self, index: int) -> LabelSet | None:
        """Return the label set of one candidate, None where the backend has no further documents."""


class Writer(Protocol):
    """A prepared backend.

    `label_law` is None where the backend has none. `labels_fixed` says that documents carry
    their own labels, so that label sets cannot be asked for.
    """

    @property
    def label_law(self) -> LabelLaw | None: ...

    @property
    def labels_fixed(self) -> bool: ...

    def write(self, requests: Sequence[WriteRequest]) -> Iterable[Candidate]:
        """Yield one candidate per request, in order."""


class Backend(Protocol):
    """Something that writes documents.

    Attributes:
        version: Raised whenever the documents of an unchanged request change.
        needs_real: Whether it learns from, or copies, real documents whatever its parameters.
        is_llm: Whether a large language model stands behind it.
        keeps_rejected: Whether screening only counts what it rejects, and removes nothing.
        is_finite: Whether it hands out a fixed stock, which replicates must share out.
        strategies: Those of `planning.STRATEGIES` it can follow; `strategies_of` answers for backends
            written before there was a choice.
    """

    version: ClassVar[str]
    description: ClassVar[str]
    needs_real: ClassVar[bool]
    is_llm: ClassVar[bool]
    keeps_rejected: ClassVar[bool]
    is_finite: ClassVar[bool]
    strategies: ClassVar[tuple[str, ...]]

    def parameter_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the parameters; its properties are all there are."""

    def prepare(self, task: Task, real: Corpus | None, parameters: Parameters, seed: int) -> Writer:
        """Return a writer.

        Raises:
            InvalidInputError: A parameter is unknown or wrong, or real documents are missing.
        """


BACKENDS: Registry[Backend] = Registry("backends", "services.generator.backends")


def strategies_of(backend: Backend) -> tuple[str, ...]:
    """Return the strategies of a backend; one that names none is label-conditioned."""
    return getattr(backend, "strategies", (LABEL_CONDITIONED,))


__all__ = ["BACKENDS", "Backend", "Candidate", "LabelLaw", "WriteRequest", "Writer", "strategies_of"]
