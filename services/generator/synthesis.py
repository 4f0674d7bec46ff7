"""The loop: indices to requests, requests to candidates, candidates to outcomes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from services.domain.corpus import Corpus
from services.domain.digest import canonical_json
from services.domain.document import Document, Provenance
from services.domain.errors import InvalidInputError
from services.domain.seeds import derived_seed
from services.generator.backends import BACKENDS, Backend, Candidate, Writer, WriteRequest, strategies_of
from services.generator.dealing import DealSource, source_dealer
from services.generator.planning import PARAPHRASE, DrawLabels, GenerationSpec, Outcome, label_drawer
from services.generator.reading import readable_artifact
from services.generator.screening import Finding, Rules, rules_for, says_the_same, screen_document
from services.storage.store import Store

BATCH = 64
# Such candidates are no documents at all, so they go even where screening only counts.
NO_DOCUMENT = ("empty", "label")
# How often a paraphrase is asked for that keeps saying what its source says.
ATTEMPTS = 3


@dataclass(frozen=True)
class Prepared:
    """A specification with everything that is done once; `deal` is None where nothing is rewritten."""

    spec: GenerationSpec
    backend: Backend
    writer: Writer
    draw_labels: DrawLabels
    rules: Rules
    digest: str
    deal: DealSource | None = None

    def outcomes(self, start: int, count: int) -> Iterator[Outcome]:
        """Yield the outcomes of candidates from `start` on, in order.

        Ends early when the backend has no more documents.
        """
        for first in range(start, start + count, BATCH):
            requests = list(self._requests(first, min(first + BATCH, start + count)))
            for request, candidate in zip(requests, self.writer.write(requests), strict=True):
                yield self._outcome(request, self._rewritten(request, candidate))
            if len(requests) < min(BATCH, start + count - first):
                return

    def _requests(self, first: int, end: int) -> Iterator[WriteRequest]:
        for index in range(first, end):
            labels = self.draw_labels(index)
            if labels is None:
                return
            own = self.spec.label_source == "backend"
            source = self.deal(index) if self.deal else None
            yield WriteRequest(index, self.spec.seed, labels, own, self.spec.genre, source)

    def _rewritten(self, request: WriteRequest, candidate: Candidate) -> Candidate:
        """Return a candidate with the source it was asked to rewrite, asked for again while it is a copy."""
        if request.source is None:
            return candidate
        attempt = 1
        while attempt < ATTEMPTS and says_the_same(candidate.text, request.source.text):
            attempt += 1
            seed = derived_seed(request.seed, "attempt", attempt)
            (candidate,) = self.writer.write([replace(request, seed=seed)])
        return replace(candidate, source=request.source, attempt=max(attempt, candidate.attempt))

    def _outcome(self, request: WriteRequest, candidate: Candidate) -> Outcome:
        if candidate.failure:
            return Outcome(request.index, failure_reason=candidate.failure, detail=candidate.detail)
        finding = self._finding(candidate)
        if finding is not None and self._removes(finding):
            return Outcome(
                request.index, rejection_reason=finding.reason, detail=finding.detail, text=candidate.text
            )
        noticed = f"{finding.reason}: {finding.detail}" if finding else ""
        return Outcome(request.index, document=self._document(request, candidate), detail=noticed)

    def _removes(self, finding: Finding) -> bool:
        # A simulator's copies are part of its planted truth, but a paraphrase that is one is none.
        copied = self.spec.strategy == PARAPHRASE and finding.reason == "copy_of_source"
        return copied or not self.backend.keeps_rejected or finding.reason in NO_DOCUMENT

    def _finding(self, candidate: Candidate) -> Finding | None:
        source = candidate.source.text if candidate.source else ""
        return screen_document(
            candidate.text, candidate.labels, self.rules, source=source, truncated=candidate.truncated
        )

    def _document(self, request: WriteRequest, candidate: Candidate) -> Document:
        source = candidate.source
        family = source.family if source else self._id(candidate.relative)
        return Document(
            self._id(request.index),
            candidate.text,
            candidate.labels,
            family,
            candidate.genre or request.genre,
            self._provenance(request, candidate),
        )

    def _provenance(self, request: WriteRequest, candidate: Candidate) -> Provenance:
        return Provenance(
            generator=self.spec.generator,
            backend=self.spec.backend,
            model_revision=f"{self.spec.backend}-{self.backend.version}",
            strategy=self.spec.strategy,
            prompt_family=candidate.prompt_family,
            prompt_digest=candidate.prompt_digest,
            exemplar_ids=(*(exemplar.id for exemplar in request.exemplars), *candidate.donor_ids),
            source_id=candidate.source.id if candidate.source else candidate.source_id,
            requested_labels=request.labels,
            seed=self.spec.seed,
            sampling_json=canonical_json(dict(self.spec.parameters)).decode(),
            tokens_in=candidate.tokens_in,
            tokens_out=candidate.tokens_out,
            attempt=candidate.attempt,
            raw_text=candidate.raw_text,
        )

    def _id(self, index: int) -> str:
        return f"{self.spec.generator}-{self.digest[:10]}-{index:05d}"


def prepare(spec: GenerationSpec, store: Store) -> Prepared:
    """Return a specification with its backend prepared.

    Raises:
        NotFoundError: No such backend.
        InvalidInputError: The backend refuses the parameters, needs real documents, has no label
            law or cannot follow the strategy, or the real corpus is of another task.
    """
    backend = BACKENDS.get(spec.backend)
    _check_strategy(spec, backend)
    real = _real_corpus(spec, backend, store)
    with readable_artifact(spec.parameters, store) as parameters:
        writer = backend.prepare(spec.task, real, parameters, spec.seed)
    if writer.labels_fixed and spec.label_source != "backend":
        raise InvalidInputError(
            f"documents of backend {spec.backend!r} carry their own labels: use label source 'backend'",
            field="label_source",
        )
    rules = rules_for(spec.task, real)
    if spec.strategy == PARAPHRASE and not writer.labels_fixed:
        deal = source_dealer(spec, real)
        return Prepared(spec, backend, writer, lambda i: deal(i).labels, rules, spec.digest, deal)
    draw_labels = label_drawer(spec, real, writer.label_law)
    return Prepared(spec, backend, writer, draw_labels, rules, spec.digest)


def generate(payload: dict[str, Any], report: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Write a range of candidates, as a job of a worker.

    Args:
        payload: "store" (folder), "spec", "start" and "count".
        report: Gets {"outcomes": [...]} again and again, in order.

    Returns:
        {"count": how many outcomes there were}; less than asked for when the backend is exhausted.
    """
    prepared = prepare(payload["spec"], Store(payload["store"]))
    waiting: list[Outcome] = []
    total = 0
    for outcome in prepared.outcomes(payload["start"], payload["count"]):
        waiting.append(outcome)
        total += 1
        if len(waiting) == BATCH:
            report({"outcomes": waiting})
            waiting = []
    report({"outcomes": waiting})
    return {"count": total}


def _check_strategy(spec: GenerationSpec, backend: Backend) -> None:
    known = strategies_of(backend)
    if spec.strategy not in known:
        raise InvalidInputError(
            f"backend {spec.backend!r} cannot follow strategy {spec.strategy!r}; it knows: {', '.join(known)}",
            field="strategy",
        )


def _real_corpus(spec: GenerationSpec, backend: Backend, store: Store) -> Corpus | None:
    if spec.real is None:
        if backend.needs_real:
            raise InvalidInputError(
                f"backend {spec.backend!r} learns from real documents: name a real corpus", field="real"
            )
        return None
    real = spec.real if isinstance(spec.real, Corpus) else store.get_corpus(spec.real)
    if real.task != spec.task:
        raise InvalidInputError(
            f"the real corpus has {len(real.task.labels)} labels of a {real.task.type} task, which are not "
            f"the {len(spec.task.labels)} of the request: {spec.task.unlike(real.task)}; give both one task",
            field="real",
        )
    return real
