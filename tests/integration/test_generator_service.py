"""The generator over the wire."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError, NotFoundError
from services.generator.client import GeneratorClient
from services.generator.planning import GenerationSpec
from services.generator.prompts import prompt_families
from services.generator.service import register
from services.generator.simulation.taxonomy import load_taxonomy
from services.generator.synthesis import prepare
from services.rpc.server import in_process
from services.storage.store import Store

TASK = load_taxonomy().task()
SPEC = GenerationSpec(
    "world", "simulator", {"preset": "reality"}, "label_conditioned", 4, TASK, None, "backend"
)

PLUGIN = """
from services.generator.backends import BACKENDS, Candidate


class Echo:
    version, description = "1", "Says its labels."
    needs_real, is_llm, keeps_rejected, is_finite = False, False, False, False
    label_law, labels_fixed = None, False

    def parameter_schema(self):
        return {"type": "object", "properties": {}, "additionalProperties": False}

    def prepare(self, task, real, parameters, seed):
        return self

    def write(self, requests):
        for request in requests:
            yield Candidate(request.index, " and ".join(request.labels), request.labels, request.index)


BACKENDS.register("echo", Echo())
"""


@pytest.fixture(scope="module")
def service_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("generator") / "store")


@pytest.fixture(scope="module")
def client(service_store: Store) -> Iterator[GeneratorClient]:
    with in_process(register, service_store.root) as address:
        yield GeneratorClient(address)


def real_corpus(store: Store, count: int = 40) -> Corpus:
    outcomes = prepare(replace(SPEC, seed=77), store).outcomes(0, count)
    return Corpus(TASK, tuple(replace(o.document, provenance=None) for o in outcomes if o.document))


def test_service_writes_what_the_core_writes(client: GeneratorClient, store: Store) -> None:
    over_the_wire = list(client.generate(SPEC, start=0, count=150))
    assert over_the_wire == list(prepare(SPEC, store).outcomes(0, 150))


def test_stream_is_taken_up_at_any_index(client: GeneratorClient) -> None:
    whole = list(client.generate(SPEC, start=0, count=30))
    assert list(client.generate(SPEC, start=12, count=18)) == whole[12:]


def test_rejections_cross_the_wire_with_their_text(client: GeneratorClient, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('text,labels\n"I\'m sorry, but I cannot help.",Smart canes\n')
    spec = replace(SPEC, backend="corpus_file", parameters={"path": str(path)})
    outcomes = list(client.generate(spec, start=0, count=5))
    assert [(o.rejection_reason, o.text) for o in outcomes] == [("refusal", "I'm sorry, but I cannot help.")]


def test_real_documents_may_be_stored_or_sent_along(client: GeneratorClient, service_store: Store) -> None:
    real = real_corpus(service_store)
    specs = [
        replace(SPEC, backend="markov", parameters={}, label_source="empirical", real=source)
        for source in (real, service_store.put_corpus(real))
    ]
    texts = [
        [o.document and o.document.text for o in client.generate(spec, start=0, count=10)] for spec in specs
    ]
    assert texts[0] == texts[1]


def test_closing_the_stream_stops_the_work(client: GeneratorClient) -> None:
    stream = client.generate(SPEC, start=0, count=900_000)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    # One worker: it would be busy for minutes.
    assert len(list(client.generate(SPEC, start=0, count=5))) == 5


def test_backends_are_listed_as_they_describe_themselves(client: GeneratorClient) -> None:
    listed = {info.name: info for info in client.list_backends()}
    assert list(listed) == sorted(listed)
    assert {"simulator", "markov", "corpus_file"} <= set(listed)
    assert listed["markov"].needs_real and not listed["markov"].keeps_rejected
    assert listed["simulator"].keeps_rejected and not listed["simulator"].is_llm


def test_strategies_are_listed_also_for_backends_that_name_none(client: GeneratorClient) -> None:
    listed = {info.name: info.strategies for info in client.list_backends()}
    assert listed["simulator"] == ("label_conditioned", "paraphrase")
    assert listed["eda"] == ("paraphrase",)
    assert listed["recombine"] == listed["template"] == ("label_conditioned",)


def test_prompt_families_cross_the_wire_whole(client: GeneratorClient) -> None:
    assert client.list_prompt_families() == tuple(prompt_families().values())


@pytest.mark.parametrize(
    ("backend", "strategy"),
    [
        ("eda", "paraphrase"),
        ("simulator", "paraphrase"),
        ("template", "label_conditioned"),
        ("recombine", "label_conditioned"),
    ],
)
def test_backends_write_the_same_over_the_wire_from_any_index(
    client: GeneratorClient, service_store: Store, backend: str, strategy: str
) -> None:
    real = service_store.put_corpus(real_corpus(service_store))
    spec = replace(
        SPEC, backend=backend, parameters={}, strategy=strategy, label_source="empirical", real=real
    )
    whole = list(client.generate(spec, start=0, count=90))
    assert whole == list(prepare(spec, service_store).outcomes(0, 90))
    assert list(client.generate(spec, start=70, count=20)) == whole[70:]
    assert sum(outcome.document is not None for outcome in whole) > 80


def test_paraphrases_name_their_sources_over_the_wire(client: GeneratorClient, service_store: Store) -> None:
    real = real_corpus(service_store)
    spec = replace(
        SPEC, backend="eda", parameters={}, strategy="paraphrase", label_source="empirical", real=real
    )
    written = [o.document for o in client.generate(spec, start=0, count=2 * len(real)) if o.document]
    named = Counter(d.provenance.source_id for d in written if d.provenance)
    assert named == dict.fromkeys(real.ids, 2)


@pytest.mark.parametrize(
    ("spec", "error", "says"),
    [
        (replace(SPEC, strategy="paraphrase"), InvalidInputError, "name a real corpus"),
        (replace(SPEC, backend="gpt"), NotFoundError, "simulator"),
        (replace(SPEC, parameters={"preset": "perfect"}), InvalidInputError, "exact_null"),
        (replace(SPEC, backend="markov", parameters={}), InvalidInputError, "real corpus"),
    ],
)
def test_errors_cross_the_wire(
    client: GeneratorClient, spec: GenerationSpec, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        list(client.generate(spec, start=0, count=1))


def test_candidates_are_counted_from_zero(client: GeneratorClient) -> None:
    with pytest.raises(InvalidInputError, match="from 0") as error:
        list(client.generate(SPEC, start=-1, count=1))
    assert error.value.field == "start_index"


def test_backend_dropped_into_the_plugin_folder_writes(
    service_address: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "plugins" / "backends"
    folder.mkdir(parents=True)
    (folder / "echo.py").write_text(PLUGIN)
    monkeypatch.setenv("SYNTHTRIAL_PLUGINS", str(tmp_path / "plugins"))
    client = GeneratorClient(service_address(register))
    spec = replace(
        SPEC, backend="echo", parameters={}, label_source="given", label_sets=(("Smart canes", "Pet robots"),)
    )
    outcomes = list(client.generate(spec, start=0, count=2))
    assert [o.document.text for o in outcomes if o.document] == ["Smart canes and Pet robots"] * 2
