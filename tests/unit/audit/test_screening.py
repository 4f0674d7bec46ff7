import pytest

from flows.auditing.corpora import build_corpora
from flows.auditing.records import Record
from flows.auditing.screening import Screened, screen_file
from services.domain.errors import InvalidInputError
from tests.unit.audit.tables import record, tables

REAL = [
    record(0, "a hinged valve closes the pipe of the boiler", "a"),
    record(1, "a rotary pump lifts water out of the mine", "b"),
    record(2, "a steel spring returns the lever to its place", "a"),
    record(3, "a glass tube shows how much oil is left", "b"),
]
TEST = [
    record(0, "a leather belt drives the shaft of the mill", "a"),
    record(1, "a copper coil cools the vapour of the still", "b"),
]


def _screen(*written: Record) -> Screened:
    corpora = build_corpora(tables(REAL, TEST, gpt=written))
    return screen_file(corpora.files[0], corpora)


FINE = record(0, "an iron gate keeps the cattle off the field", "a")


def test_every_row_is_accounted_for() -> None:
    found = _screen(
        FINE,
        record(1, "A hinged VALVE closes the pipe of the boiler.", "a"),
        record(2, "a leather belt drives the shaft of the mill", "a"),
        record(3, "an iron gate keeps the cattle off the field", "a"),
        record(4, "", "a"),
        record(5, None, "a"),
    )
    assert found.requested == 6 == len(found.accepted) + found.count("rejected") + found.count("failed")
    assert found.reasons == {
        "copy_of_real": 1,
        "copy_of_synthetic": 1,
        "copy_of_test": 1,
        "empty": 1,
        "no_text": 1,
    }


def test_what_was_written_from_a_test_document_is_rejected() -> None:
    named = record(1, "a belt made of leather turns the axle", "a", source="only-test")
    rows = [*TEST, Record("file:9", "only-test", "a wooden cog turns the stone of the mill", ("a",), "", "")]
    corpora = build_corpora(tables(REAL, rows, gpt=[FINE, named]))
    assert screen_file(corpora.files[0], corpora).reasons == {"written_from_test": 1}


def test_a_leak_is_shown_first_beside_the_document_it_repeats() -> None:
    found = _screen(FINE, record(1, " ", "a"), record(2, "a copper coil cools the vapour of the still", "b"))
    first = found.examples[0]
    assert (first.reason, first.nearest_id, first.similarity) == ("copy_of_test", "test:1", 1.0)
    assert first.nearest_text == TEST[1].text


def test_a_row_that_repeats_nothing_is_shown_beside_its_nearest_document() -> None:
    found = _screen(FINE, record(1, "a rotary pump lifts oil", "unheard of"))
    assert found.examples[0].reason == "label_outside_taxonomy"
    assert found.examples[0].nearest_id == "1"


def test_at_most_ten_examples_are_shown() -> None:
    found = _screen(FINE, *(record(i, f"strange {i}", "z") for i in range(1, 20)))
    assert len(found.examples) == 10


def test_a_file_of_which_nothing_remains_is_refused() -> None:
    with pytest.raises(
        InvalidInputError, match=r"nothing of gpt remains .* all 2 rows .*copy_of_real 1, empty 1"
    ):
        _screen(record(0, REAL[0].text, "a"), record(1, "", "a"))
