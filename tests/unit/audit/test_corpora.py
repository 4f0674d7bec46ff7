import pytest

from flows.auditing.corpora import build_corpora, label_counts
from flows.auditing.records import Record, Tables
from services.domain.errors import InvalidInputError
from services.domain.task import TaskType
from services.storage.columns import Columns
from tests.unit.audit.tables import plain_rows, record, table, tables

GENERATED = plain_rows(4, "written")


def test_one_label_each_makes_a_single_label_task() -> None:
    assert build_corpora(tables(plain_rows(6), gpt=GENERATED)).task.type is TaskType.SINGLE_LABEL


def test_one_document_with_two_labels_makes_a_multi_label_task() -> None:
    rows = [*plain_rows(6), record(6, "both", "a", "b")]
    assert build_corpora(tables(rows, gpt=GENERATED)).task.type is TaskType.MULTI_LABEL


def test_a_test_duplicate_leaves_the_training_documents() -> None:
    test = [record(0, " TEXT number 3", "b"), *plain_rows(4, "other")[1:]]
    corpora = build_corpora(tables(plain_rows(6), test, gpt=GENERATED))
    assert [document.id for document in corpora.overlapping] == ["3"]
    assert set(corpora.real.families).isdisjoint(corpora.tested.families)
    assert len(corpora.real) + len(corpora.overlapping) == 6


def test_equal_identifiers_in_real_and_test_are_different_documents() -> None:
    corpora = build_corpora(tables(plain_rows(6), plain_rows(4, "other"), gpt=GENERATED))
    assert set(corpora.real.ids).isdisjoint(corpora.tested.ids)


def test_a_real_identifier_may_look_like_one_of_the_test() -> None:
    real = [*plain_rows(6), record(6, "text of the odd name", "a")]
    real[-1] = real[-1]._replace(id="test:1")
    written = [record(0, "from the odd one", "a", source="test:1"), record(1, "from one", "b", source="1")]
    corpora = build_corpora(tables(real, plain_rows(4, "other"), gpt=written))
    assert set(corpora.real.ids).isdisjoint(corpora.tested.ids)
    family_of = dict(zip(corpora.real.ids, corpora.real.families, strict=True))
    assert [d.family for d in corpora.files[0].candidates] == [family_of["test:1"], family_of["1"]]


def test_every_synthetic_row_is_a_candidate_or_discarded_with_a_reason() -> None:
    written = [
        record(0, "fine", "a"),
        record(1, "  ", "a"),
        record(2, None, "a"),
        record(3, "unlabelled"),
        record(4, "strange", "z"),
        record(5, "two", "a", "b"),
    ]
    (file,) = build_corpora(tables(plain_rows(6), gpt=written)).files
    assert len(file.candidates) == 1
    assert [(d.outcome, d.reason) for d in file.discarded] == [
        ("rejected", "empty"),
        ("failed", "no_text"),
        ("rejected", "no_labels"),
        ("rejected", "label_outside_taxonomy"),
        ("rejected", "several_labels"),
    ]
    assert file.row_count == 6


def test_a_synthetic_document_is_of_its_sources_family() -> None:
    written = [record(0, "from one", "a", source="1"), record(1, "from nowhere", "a", source="99")]
    corpora = build_corpora(tables(plain_rows(6), gpt=written))
    first, second = corpora.files[0].candidates
    assert first.family == corpora.real.families[1]
    assert second.family == second.id
    assert corpora.files[0].sourced == 1


def test_a_label_with_one_document_is_left_out_and_said_so() -> None:
    rows = [*plain_rows(6), record(6, "rare one", "rare"), record(7, "rare too", "rare2", "a")]
    corpora = build_corpora(tables(rows, gpt=[*GENERATED, record(4, "its like", "rare")]))
    assert corpora.rare_labels == ("rare", "rare2")
    assert [document.id for document in corpora.unlabelled] == ["6"]
    assert corpora.files[0].discarded[0].reason == "only_rare_labels"
    assert label_counts(corpora.real) == {"a": 4, "b": 3}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([record(0, "fine", "a"), record(1, " ", "a")], r"file:2: document '1' has no text"),
        ([record(0, "fine", "a"), record(1, "bare")], r"file:2: document '1' has no labels"),
        (
            [record(0, "x", "a"), record(0, "y", "a")],
            r"occur more than once, for example '0' at file:1 and file:1",
        ),
        ([], "real holds no documents"),
        ([record(0, "x", "p"), record(1, "y", "q")], "each of the 2 labels has a single document"),
    ],
)
def test_bad_real_documents_are_refused(rows: list[Record], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        build_corpora(tables(rows))


def test_label_sets_without_anything_in_common_are_refused() -> None:
    with pytest.raises(
        InvalidInputError, match="no label of gpt is a label of the real documents: it has '1', '2'"
    ):
        build_corpora(tables(plain_rows(6), gpt=plain_rows(4, "written", ("1", "2"))))


def test_a_real_file_inside_the_test_file_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="no document of real is left to train on"):
        build_corpora(tables(plain_rows(4), plain_rows(6), gpt=GENERATED))


def test_the_column_without_text_is_named() -> None:
    found = table("real", [record(0, "", "a")], Columns("title", ("tags",)))
    with pytest.raises(InvalidInputError, match=r"column 'title'"):
        build_corpora(Tables(found, None, {}))


def test_a_single_real_document_is_refused_for_being_one() -> None:
    with pytest.raises(InvalidInputError, match=r"real has one row, .* at least 2 of every label") as caught:
        build_corpora(tables(plain_rows(1), plain_rows(4, "test"), gpt=plain_rows(4, "written")))
    assert caught.value.field == "documents"
