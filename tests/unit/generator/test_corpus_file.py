"""Documents that somebody already generated."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError, NotFoundError
from services.domain.task import Task, TaskType
from services.generator.planning import GenerationSpec, Outcome
from services.generator.synthesis import prepare
from services.storage.store import Store

TASK = Task(TaskType.MULTI_LABEL, ("a", "b"))
REAL = Corpus(TASK, (Document("r1", "a real text about canes", ("a",), "family1"),))


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"x{i}", "text": f"document number {i}", "labels": ["b", "a"][: 1 + i % 2]}
        for i in range(count)
    ]


def save(folder: Path, lines: list[Any], name: str = "gpt.jsonl") -> str:
    path = folder / name
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return str(path)


def spec(parameters: Mapping[str, Any], **changes: Any) -> GenerationSpec:
    values: dict[str, Any] = {"label_source": "backend", "real": None, "task": TASK, "seed": 1} | changes
    return GenerationSpec("gpt", "corpus_file", parameters, "label_conditioned", **values)


def outcomes(store: Store, parameters: Mapping[str, Any], count: int, **changes: Any) -> list[Outcome]:
    return list(prepare(spec(parameters, **changes), store).outcomes(0, count))


def test_every_row_comes_once_in_a_seeded_order(tmp_path: Path, store: Store) -> None:
    path = save(tmp_path, rows(20))
    orders = [
        [o.document.text for o in outcomes(store, {"path": path}, 20, seed=s) if o.document]
        for s in (1, 1, 2)
    ]
    assert sorted(orders[0]) == sorted(row["text"] for row in rows(20))
    assert orders[0] == orders[1] != orders[2]


def test_it_ends_when_the_file_does(tmp_path: Path, store: Store) -> None:
    prepared = prepare(spec({"path": save(tmp_path, rows(5))}), store)
    assert len(list(prepared.outcomes(3, 10))) == 2
    assert list(prepared.outcomes(5, 10)) == []


def test_documents_carry_their_own_labels_in_the_order_of_the_task(tmp_path: Path, store: Store) -> None:
    (outcome,) = outcomes(store, {"path": save(tmp_path, [rows(2)[1]])}, 1)
    assert outcome.document is not None and outcome.document.labels == ("a", "b")
    with pytest.raises(InvalidInputError, match="their own labels"):
        prepare(spec({"path": save(tmp_path, rows(3))}, label_source="given", label_sets=(("a",),)), store)


def test_source_joins_the_family_of_the_real_document(tmp_path: Path, store: Store) -> None:
    lines = [rows(1)[0] | {"source_id": "r1"}, rows(2)[1] | {"source_id": "elsewhere"}]
    written = [
        o.document for o in outcomes(store, {"path": save(tmp_path, lines)}, 2, real=REAL) if o.document
    ]
    families = {d.provenance.source_id: d.family for d in written if d.provenance}
    assert families["r1"] == "family1"
    assert families["elsewhere"] != "family1"


def test_empty_and_refused_rows_are_rejected_and_counted(tmp_path: Path, store: Store) -> None:
    lines = [*rows(3), rows(1)[0] | {"text": " "}, rows(1)[0] | {"text": "I'm sorry, but I cannot do that."}]
    found = outcomes(store, {"path": save(tmp_path, lines)}, 5)
    assert sorted(o.rejection_reason for o in found) == ["", "", "", "empty", "refusal"]


def test_columns_are_mapped_and_rows_chosen(tmp_path: Path, store: Store) -> None:
    lines = [{"body": f"text number {i}", "tags": "a;b", "model": f"m{i % 2}"} for i in range(6)]
    parameters = {
        "path": save(tmp_path, lines),
        "columns": {"text": "body", "labels": "tags", "separator": ";"},
        "only": {"model": "m1"},
    }
    found = outcomes(store, parameters, 10)
    assert [o.document.labels for o in found if o.document] == [("a", "b")] * 3


def test_uploaded_file_is_read_from_the_store(tmp_path: Path, store: Store) -> None:
    data = Path(save(tmp_path, rows(4))).read_bytes()
    artifact = {"sha256": store.objects.put(data), "name": "gpt.jsonl"}
    assert len(outcomes(store, {"artifact": artifact}, 4)) == 4


def test_stored_corpus_is_read_from_the_store(store: Store) -> None:
    reference: ArtifactRef = store.put_corpus(REAL)
    (outcome,) = outcomes(store, {"artifact": {"sha256": reference.sha256}}, 3)
    assert outcome.document is not None and outcome.document.text == REAL.texts[0]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([{"text": "some text", "labels": ["z"]}], r"gpt\.jsonl:1: label 'z'"),
        ([{"text": "fine", "labels": ["a"]}, "{oops"], r"gpt\.jsonl:2: malformed"),
        ([{"text": "some text", "labels": []}], r"gpt\.jsonl:1: no labels"),
        ([{"text": "a text without any column of labels"}], "which column holds the labels"),
    ],
)
def test_bad_files_are_refused_with_file_and_line(
    tmp_path: Path, store: Store, lines: list[Any], says: str
) -> None:
    with pytest.raises(InvalidInputError, match=says):
        prepare(spec({"path": save(tmp_path, lines)}), store)


def test_missing_files_columns_and_values_are_named(tmp_path: Path, store: Store) -> None:
    path = save(tmp_path, rows(2))
    with pytest.raises(NotFoundError, match="nowhere"):
        prepare(spec({"path": "/nowhere/x.jsonl"}), store)
    with pytest.raises(InvalidInputError, match="no column 'body'"):
        prepare(spec({"path": path, "columns": {"text": "body"}}), store)
    with pytest.raises(InvalidInputError, match="no row"):
        prepare(spec({"path": path, "only": {"id": "none"}}), store)
    with pytest.raises(InvalidInputError, match="a path or an artifact"):
        prepare(spec({}), store)


def test_files_outside_the_allowed_folders_are_refused(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path, rows(2))
    monkeypatch.setenv("SYNTHTRIAL_ROOTS", str(tmp_path / "allowed"))
    with pytest.raises(InvalidInputError, match="outside"):
        prepare(spec({"path": path}), store)


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1:50051", True),
        ("[::1]:50051", True),
        ("localhost:50051", True),
        ("unix:/run/generator", True),
        ("0.0.0.0:50051", False),
        ("[::]:50051", False),
        ("10.1.2.3:50051", False),
        ("generator:50051", False),
    ],
)
def test_a_service_that_others_reach_reads_only_folders_it_was_given(
    address: str, local: bool, tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path, rows(2))
    monkeypatch.setenv("LISTEN", address)
    if local:
        assert len(outcomes(store, {"path": path}, 2)) == 2
        return
    with pytest.raises(InvalidInputError, match="SYNTHTRIAL_ROOTS"):
        prepare(spec({"path": path}), store)
    monkeypatch.setenv("SYNTHTRIAL_ROOTS", str(tmp_path))
    assert len(outcomes(store, {"path": path}, 2)) == 2
