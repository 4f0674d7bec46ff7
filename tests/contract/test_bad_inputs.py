"""Bad input, case by case: the right error with its field, a message that says what would do, nothing lost.

Tried here over the wire, and through the flow in integration/test_bad_studies. Other tests hold the rest:

unknown design key: unit/flows/test_design, integration/test_cli
unknown arm, backend, family, metric: also unit/flows/test_design, integration/test_{generator,evaluator}_service
bad documents, file by file: unit/domain/test_words, unit/generator/test_corpus_file, integration/test_audit
a label constant within a regime is scored and counted: unit/classifier/test_training
test documents in plans: also unit/classifier/test_training
nothing remains after screening: also unit/audit/test_screening, integration/test_audit
malformed line, columns: unit/storage/test_tabular, unit/audit/test_loading
artifact changed on disk: contract/test_wire, unit/storage/test_store, integration/test_study
k beyond the documents: unit/retrieval/test_index, contract/test_retrievers
one-document MMD, NaN: also unit/fidelity/test_measuring, unit/features/test_store, unit/classifier/test_training
service not reachable: also unit/rpc/test_wire_errors
port taken: unit/rpc/test_serve, integration/test_services_alone, integration/test_launch_teardown
a second `make study`: integration/test_launch_teardown, unit/launch/test_exclusive
Ctrl-C in the middle: integration/test_launch_teardown; what it leaves: integration/test_study
checkpoints, labels unlike the model's, losses without end, genres, messages too large: integration/test_bad_requests
three generators, shares near zero, small samples, copies of a source, one plan of several: integration/test_too_little
100,000 words: integration/test_long_texts, unit/classifier/test_fine_tuning_inputs, unit/features/test_truncated_counts
no memory: integration/test_lost_workers, unit/rpc/test_workers
a hub out of reach: unit/storage/test_hub, unit/classifier/test_checkpoints
files as strangers have them: unit/storage/test_odd_files; through the command line: integration/test_bad_command_lines
folders that cannot be written: unit/storage/test_writable, unit/launch/test_folders, faults/test_disks
a mix of more real documents than there are: unit/flows/test_conditions
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from services.classifier.client import ClassifierClient
from services.classifier.service import register as classifier
from services.classifier.specification import InlineTraining
from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import DataLossError, InvalidInputError, NotFoundError, StudyError
from services.domain.task import Task, TaskType
from services.evaluator.client import EvaluatorClient
from services.evaluator.planning import FidelitySpec
from services.evaluator.service import register as evaluator
from services.generator.client import GeneratorClient
from services.generator.planning import GenerationSpec
from services.generator.service import register as generator
from services.retrieval.client import IndexSpec, RetrievalClient, SegmentRows
from services.retrieval.service import register as retrieval
from services.rpc.channel import channel, invoke_stream
from services.rpc.server import in_process
from services.storage.store import Store
from synthtrial.evaluator.v1 import evaluator_pb2, evaluator_pb2_grpc
from synthtrial.study.v1 import corpus_pb2

TASK = Task(TaskType.MULTI_LABEL, ("cane", "lamp"))
TASK_MESSAGE = corpus_pb2.Task(type=corpus_pb2.TASK_TYPE_MULTI_LABEL, labels=TASK.labels)


def corpus(name: str, count: int = 12, task: Task = TASK, rare: str = "") -> Corpus:
    documents = [
        Document(f"{name}{i}", f"{name} {TASK.labels[i % 2]} {i}", (TASK.labels[i % 2],), f"{name}{i}")
        for i in range(count)
    ]
    if rare:
        documents[0] = Document(f"{name}0", "a rare one", (rare,), f"{name}0")
    return Corpus(task, tuple(documents))


@dataclass(frozen=True)
class Services:
    """All four over one store."""

    store: Store
    addresses: Mapping[str, str]

    def embed(self, *documents: Mapping[str, Any]) -> None:
        """Send a corpus along that the client's own classes would refuse."""
        made = [
            corpus_pb2.Document(**{"id": str(i), "text": "t", "labels": ["cane"], **d})
            for i, d in enumerate(documents)
        ]
        inline = corpus_pb2.InlineCorpus(task=TASK_MESSAGE, documents=made)
        request = evaluator_pb2.EmbedRequest(corpora=[corpus_pb2.CorpusSource(inline=inline)], encoder="lsa")
        address = self.addresses["evaluator"]
        list(invoke_stream(evaluator_pb2_grpc.EvaluatorServiceStub(channel(address)).Embed, request, address))

    def generate(self, backend: str, label: str = "cane", **parameters: object) -> None:
        source = "backend" if backend == "corpus_file" else "given"
        spec = GenerationSpec(
            "g", backend, parameters, "label_conditioned", 1, TASK, corpus("r"), source, ((label,),)
        )
        list(GeneratorClient(self.addresses["generator"]).generate(spec, 0, 2))

    def uploaded(self, name: str, content: str) -> dict[str, str]:
        return {"sha256": self.store.objects.put(content.encode()), "name": name}

    def train(self, train: Corpus, test: Corpus, family: str = "tfidf_linear") -> tuple[ArtifactRef, ...]:
        return ClassifierClient(self.addresses["classifier"]).train(
            InlineTraining(train, test, family, folds=2)
        )

    def embeddings(self, count: int, bad: float = 0.0) -> ArtifactRef:
        rows = np.random.default_rng(count).normal(size=(count, 4)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        rows[0, 0] += bad
        return self.store.put_arrays({"embeddings": rows}, {"encoder": "planted/1"})

    def measure(self, count: int = 12, bad: float = 0.0, metric: str = "mmd2") -> object:
        spec = FidelitySpec(
            corpus("r"), self.embeddings(12), (corpus("s", count),), (self.embeddings(count, bad),), (metric,)
        )
        return EvaluatorClient(self.addresses["evaluator"]).measure_fidelity(spec)

    def index(self, retriever: str = "jaccard", embeddings: ArtifactRef | None = None) -> str:
        spec = IndexSpec(retriever, (SegmentRows(corpus("d"), (), embeddings),), TASK)
        return RetrievalClient(self.addresses["retrieval"]).build_index(spec)

    def score(self, truth: ArtifactRef) -> object:
        return EvaluatorClient(self.addresses["evaluator"]).score_predictions(truth, (truth,), ("micro_f1",))


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    store = Store(tmp_path_factory.mktemp("bad") / "store")
    registers = {
        "generator": generator,
        "classifier": classifier,
        "evaluator": evaluator,
        "retrieval": retrieval,
    }
    with ExitStack() as running:
        yield Services(
            store, {n: running.enter_context(in_process(r, store.root)) for n, r in registers.items()}
        )


class Bad(NamedTuple):
    """What is asked, what it is refused as, the part to change, and what would do."""

    ask: Callable[[Services], object]
    error: type[StudyError]
    field: str
    says: str


def damaged(services: Services) -> object:
    reference = services.store.put_corpus(corpus("damaged"))
    path = services.store.objects.path(reference.sha256)
    path.chmod(0o644)
    path.write_bytes(b"other bytes")
    return services.score(reference)


def leaking(services: Services, identifier: str, family: str) -> object:
    leak = Document(identifier, "a paraphrase", ("cane",), family)
    return services.train(Corpus(TASK, (*corpus("r").documents, leak)), corpus("t"))


NAN = float("nan")
BROKEN = '{"text": "a cane to lean on", "labels": ["cane"]}\n{oops\n'
STRANGE = '{"text": "a cane to lean on", "labels": ["cane"]}\n{"text": "a boat", "labels": ["boat"]}\n'
RARE = Task(TaskType.MULTI_LABEL, ("cane", "lamp", "rare"))
INLINE = "corpora[0].inline."
CASES = {
    "empty corpus": Bad(
        lambda s: s.embed(), InvalidInputError, INLINE + "documents", "at least one document"
    ),
    "duplicate ids": Bad(
        lambda s: s.embed({"id": "7"}, {"id": "7"}),
        InvalidInputError,
        INLINE + "documents.id",
        "'7' (2 times)",
    ),
    "no text": Bad(
        lambda s: s.embed({}, {"text": " "}), InvalidInputError, INLINE + "documents[1].text", "has no text"
    ),
    "no labels": Bad(
        lambda s: s.embed({"labels": []}), InvalidInputError, INLINE + "documents[0].labels", "has no labels"
    ),
    "label outside the task": Bad(
        lambda s: s.embed({"labels": ["boat"]}), InvalidInputError, INLINE + "documents[0].labels", "'boat'"
    ),
    "label outside the task, in a file": Bad(
        lambda s: s.generate("corpus_file", artifact=s.uploaded("gpt.jsonl", STRANGE)),
        InvalidInputError,
        "parameters.columns.labels",
        "gpt.jsonl:2: label 'boat'",
    ),
    "unknown backend": Bad(
        lambda s: s.generate("gpt"),
        NotFoundError,
        "",
        "there are: corpus_file, eda, markov, recombine, simulator, template",
    ),
    "unknown family": Bad(
        lambda s: s.train(corpus("r"), corpus("t"), "bert"),
        InvalidInputError,
        "family",
        "fine_tuned_encoder, frozen_encoder, tfidf_linear",
    ),
    "unknown metric": Bad(
        lambda s: s.measure(metric="fid"), NotFoundError, "", "there are: c2st, c2st_p, chamfer"
    ),
    "unknown retriever": Bad(lambda s: s.index("colbert"), NotFoundError, "", "there are: dense, jaccard"),
    "malformed line": Bad(
        lambda s: s.generate("corpus_file", artifact=s.uploaded("gpt.jsonl", BROKEN)),
        InvalidInputError,
        "path",
        "gpt.jsonl:2: malformed JSON",
    ),
    "columns not to be guessed": Bad(
        lambda s: s.generate("corpus_file", artifact=s.uploaded("gpt.csv", "a,b\n1,2\n")),
        InvalidInputError,
        "columns.text",
        "gpt.csv: cannot tell which column holds the text; name it (columns: a, b)",
    ),
    "label with one document in all": Bad(
        lambda s: s.train(corpus("r", task=RARE, rare="rare"), corpus("t", task=RARE)),
        InvalidInputError,
        "task.labels",
        "'rare'; leave them out of the task or give documents",
    ),
    "test document in a plan": Bad(
        lambda s: leaking(s, "t3", "new"), InvalidInputError, "plans[0].stages[0].parts", "split by family"
    ),
    "family of the test in a plan": Bad(
        lambda s: leaking(s, "p", "t3"), InvalidInputError, "plans[0].stages[0].parts", "'p' of family 't3'"
    ),
    "artifact changed on disk": Bad(damaged, DataLossError, "", "restore it if it was an input"),
    "one-document mmd": Bad(
        lambda s: s.measure(count=1), InvalidInputError, "corpora[0]", "at least 2 documents"
    ),
    "nan in a measured embedding": Bad(
        lambda s: s.measure(bad=NAN), InvalidInputError, "embeddings[0][0]", "first in row 0; embed again"
    ),
    "nan in an indexed embedding": Bad(
        lambda s: s.index("dense", s.embeddings(12, NAN)),
        InvalidInputError,
        "spec.segments[0].embeddings[0]",
        "embed again",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_over_the_wire(case: str, services: Services) -> None:
    bad = CASES[case]
    with pytest.raises(bad.error) as caught:
        bad.ask(services)
    assert type(caught.value) is bad.error
    assert bad.says in caught.value.message
    assert caught.value.metadata
    named = caught.value.metadata.get("field")
    assert named is None if not bad.field else (named or "").endswith(bad.field)


def test_the_wire_carries_status_and_field_for_any_client(services: Services) -> None:
    address = services.addresses["evaluator"]
    request = evaluator_pb2.EmbedRequest(
        corpora=[corpus_pb2.CorpusSource(inline=corpus_pb2.InlineCorpus(task=TASK_MESSAGE))], encoder="lsa"
    )
    with pytest.raises(grpc.RpcError) as caught:
        list(evaluator_pb2_grpc.EvaluatorServiceStub(channel(address)).Embed(request, timeout=20))
    assert isinstance(caught.value, grpc.Call)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    status, found = rpc_status.from_call(caught.value), error_details_pb2.BadRequest()
    assert status is not None and any(detail.Unpack(found) for detail in status.details)
    assert [violation.field for violation in found.field_violations] == [INLINE + "documents"]


def test_asking_for_more_than_there_is_returns_what_there_is(services: Services) -> None:
    client, index = RetrievalClient(services.addresses["retrieval"]), services.index()
    assert [len(found.hits) for found in client.search(index, corpus("q", 2), depth=500)] == [12, 12]
    (measured,) = client.evaluate_index(index, corpus("q", 2), metrics=("ndcg@500",)).measurements
    assert measured.value == 1.0


def test_a_refused_request_leaves_the_services_at_work(services: Services) -> None:
    for case in ("label with one document in all", "unknown metric", "malformed line"):
        with pytest.raises(CASES[case].error):
            CASES[case].ask(services)
    services.generate("markov")
    assert len(services.train(corpus("r"), corpus("t"))) == 1
    assert services.measure()
