"""What every generator backend has to keep."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.task import LabelSet
from services.domain.texts import normalised
from services.generator.backends import BACKENDS, WriteRequest, strategies_of
from services.generator.planning import PARAPHRASE, STRATEGIES, GenerationSpec, Outcome
from services.generator.simulation.dials import presets
from services.generator.simulation.taxonomy import load_taxonomy
from services.generator.synthesis import Prepared, prepare
from services.storage.store import Store

TASK = load_taxonomy().task()
COUNT = 24


def written_by_reality(count: int) -> Iterator[Document]:
    writer = BACKENDS.get("simulator").prepare(TASK, None, {}, 99)
    assert writer.label_law is not None
    for i in range(count):
        (candidate,) = writer.write([WriteRequest(i, 99, writer.label_law(i) or (), own_labels=True)])
        yield Document(f"real{i}", candidate.text, candidate.labels, f"family{candidate.relative}")


REAL = Corpus(TASK, tuple(written_by_reality(60)))
# A backend that is not named here is tried without parameters.
PARAMETERS: dict[str, list[dict[str, Any]]] = {"simulator": [{"preset": name} for name in presets()]}
# What hands out real documents as they are rewrites none.
NO_PARAPHRASE = ({"preset": "exact_null"},)
CASES = [
    (name, parameters, strategy)
    for name in BACKENDS.names()
    for parameters in PARAMETERS.get(name, [{}])
    for strategy in strategies_of(BACKENDS.get(name))
    if strategy != PARAPHRASE or parameters not in NO_PARAPHRASE
]


REWRITING = [case for case in CASES if case[2] == PARAPHRASE]
# Simulators may copy: their planted truth is that of their copies.
SCREENED = [case for case in CASES if not BACKENDS.get(case[0]).keeps_rejected]


def named(case: tuple[str, dict[str, Any], str]) -> str:
    return "-".join([case[0], *map(str, case[1].values()), case[2]])


@pytest.fixture(params=CASES, ids=named)
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> GenerationSpec:
    backend, parameters, strategy = request.param
    if "path" in BACKENDS.get(backend).parameter_schema()["properties"]:
        parameters = {**parameters, "path": str(a_file(tmp_path))}
    label_source = "empirical"
    if BACKENDS.get(backend).prepare(TASK, REAL, parameters, 5).labels_fixed:
        label_source = "backend"
    return GenerationSpec("tried", backend, parameters, strategy, 5, TASK, REAL, label_source)


@pytest.fixture
def prepared(spec: GenerationSpec, store: Store) -> Prepared:
    return prepare(spec, store)


def a_file(folder: Path) -> Path:
    path = folder / "finished.jsonl"
    lines = [
        {"text": f"{d.text} Number {i}.", "labels": list(d.labels), "source_id": d.id}
        for i, d in enumerate(REAL.documents)
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def essence(outcome: Outcome) -> tuple[Any, ...]:
    document = outcome.document
    return outcome.index, document, outcome.rejection_reason, outcome.failure_reason, outcome.detail


def test_there_is_one_outcome_per_index_in_order(prepared: Prepared) -> None:
    assert [outcome.index for outcome in prepared.outcomes(0, COUNT)] == list(range(COUNT))


def test_same_seed_gives_the_same_documents(spec: GenerationSpec, store: Store) -> None:
    first, second = ([essence(o) for o in prepare(spec, store).outcomes(0, COUNT)] for _ in range(2))
    assert first == second


def test_candidate_does_not_depend_on_where_one_starts_or_how_many_one_asks_for(prepared: Prepared) -> None:
    whole = [essence(o) for o in prepared.outcomes(0, COUNT)]
    pieces = [essence(o) for start in (20, 7, 0) for o in prepared.outcomes(start, 4)]
    assert pieces == [whole[i] for start in (20, 7, 0) for i in range(start, start + 4)]


def test_other_seed_gives_other_documents(spec: GenerationSpec, store: Store) -> None:
    texts = []
    for seed in (5, 6):
        values = {name: getattr(spec, name) for name in spec.__dataclass_fields__} | {"seed": seed}
        outcomes = prepare(GenerationSpec(**values), store).outcomes(0, COUNT)
        texts.append([o.document.text for o in outcomes if o.document])
    assert texts[0] != texts[1]
    backend = BACKENDS.get(spec.backend)
    if not backend.is_finite and not backend.keeps_rejected:
        assert not set(texts[0]) & set(texts[1])


@pytest.mark.parametrize("spec", SCREENED, ids=named, indirect=True)
def test_nothing_that_passes_repeats_a_real_document(prepared: Prepared) -> None:
    known = {normalised(text) for text in REAL.texts}
    written = [o.document.text for o in prepared.outcomes(0, COUNT) if o.document]
    assert not known & {normalised(text) for text in written}


@pytest.mark.parametrize("spec", REWRITING, ids=named, indirect=True)
def test_paraphrase_names_its_source_keeps_its_labels_and_is_no_copy_of_it(prepared: Prepared) -> None:
    sources = {document.id: document for document in REAL.documents}
    written = [o.document for o in prepared.outcomes(0, COUNT) if o.document]
    assert written
    for document in written:
        assert document.provenance is not None
        source = sources[document.provenance.source_id]
        assert document.provenance.strategy == PARAPHRASE
        assert (document.labels, document.family) == (source.labels, source.family)
        assert normalised(document.text) != normalised(source.text)


@pytest.mark.parametrize("spec", REWRITING, ids=named, indirect=True)
def test_every_source_has_its_turn_before_any_has_another(prepared: Prepared) -> None:
    if prepared.deal is None:
        # What carries its own labels has its own sources.
        assert prepared.writer.labels_fixed
        return
    dealt = [prepared.deal(index).id for index in range(2 * len(REAL))]
    assert sorted(dealt[: len(REAL)]) == sorted(REAL.ids)
    assert dealt[: len(REAL)] == dealt[len(REAL) :]


def test_documents_carry_the_labels_asked_for(prepared: Prepared) -> None:
    for outcome in prepared.outcomes(0, COUNT):
        if outcome.document is not None:
            asked: LabelSet = prepared.draw_labels(outcome.index) or ()
            assert outcome.document.labels == asked


def test_provenance_is_filled(prepared: Prepared) -> None:
    for outcome in prepared.outcomes(0, COUNT):
        if outcome.document is None:
            continue
        provenance = outcome.document.provenance
        assert provenance is not None
        assert (provenance.generator, provenance.backend) == ("tried", prepared.spec.backend)
        assert provenance.model_revision.startswith(prepared.spec.backend)
        assert provenance.requested_labels == outcome.document.labels
        assert json.loads(provenance.sampling_json) == dict(prepared.spec.parameters)


def test_document_belongs_to_its_source_or_to_itself(prepared: Prepared) -> None:
    families = dict(zip(REAL.ids, REAL.families, strict=True))
    for outcome in prepared.outcomes(0, COUNT):
        document = outcome.document
        if document is not None and document.provenance is not None:
            assert document.family == families.get(document.provenance.source_id, document.id)


def test_documents_make_a_corpus(prepared: Prepared) -> None:
    documents = tuple(o.document for o in prepared.outcomes(0, COUNT) if o.document)
    assert len(Corpus(TASK, documents)) >= COUNT // 2


def test_every_candidate_is_accounted_for(prepared: Prepared) -> None:
    outcomes = list(prepared.outcomes(0, COUNT))
    accepted = sum(o.document is not None for o in outcomes)
    rejected = sum(bool(o.rejection_reason) for o in outcomes)
    failed = sum(bool(o.failure_reason) for o in outcomes)
    assert accepted + rejected + failed == COUNT


@pytest.mark.parametrize("name", BACKENDS.names())
def test_backend_says_what_it_is(name: str) -> None:
    backend = BACKENDS.get(name)
    assert backend.version
    assert backend.description
    assert backend.parameter_schema()["type"] == "object"
    assert strategies_of(backend)
    assert set(strategies_of(backend)) <= set(STRATEGIES)


@pytest.mark.parametrize("name", BACKENDS.names())
def test_unknown_parameter_is_refused_with_the_known_ones(name: str) -> None:
    backend = BACKENDS.get(name)
    with pytest.raises(InvalidInputError) as error:
        backend.prepare(TASK, REAL, {"no_such_parameter": 1}, 1)
    assert error.value.field == "parameters.no_such_parameter"
    assert all(known in error.value.message for known in backend.parameter_schema()["properties"])


@pytest.mark.parametrize("name", [n for n in BACKENDS.names() if BACKENDS.get(n).needs_real])
def test_backend_that_needs_real_documents_says_so(name: str, store: Store) -> None:
    strategy = strategies_of(BACKENDS.get(name))[0]
    spec = GenerationSpec("x", name, {}, strategy, 1, TASK, None, "given", (TASK.labels[:2],))
    with pytest.raises(InvalidInputError, match="real"):
        prepare(spec, store)


@pytest.mark.parametrize("name", BACKENDS.names())
def test_strategy_that_a_backend_does_not_follow_is_refused_with_those_it_does(
    name: str, store: Store
) -> None:
    known = strategies_of(BACKENDS.get(name))
    for strategy in set(STRATEGIES) - set(known):
        with pytest.raises(InvalidInputError, match=known[0]) as error:
            prepare(GenerationSpec("x", name, {}, strategy, 1, TASK, REAL, "empirical"), store)
        assert error.value.field == "strategy"
