"""Candidates, what becomes of them, and the account of all."""

import pytest

from flows.stages.accounting import CorpusKey, Real, Written, screen
from services.domain.corpus import Corpus
from services.domain.document import Document, Provenance
from services.domain.errors import StudyError
from services.domain.task import Task, TaskType
from services.generator.planning import Outcome

TASK = Task(TaskType.MULTI_LABEL, ("a",))
WORDS = [
    "amber",
    "basin",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heath",
    "inlet",
    "jetty",
    "knoll",
    "lagoon",
    "mesa",
    "nook",
    "oasis",
]


def real(name: str, *numbers: int) -> Corpus:
    texts = [" ".join(WORDS[(3 * n + k * (n + 1)) % len(WORDS)] for k in range(9)) for n in numbers]
    return Corpus(
        TASK,
        tuple(Document(f"{name}{n}", text, ("a",), f"f{n}") for n, text in zip(numbers, texts, strict=True)),
    )


REAL = Real(real("train", 1, 2, 3), real("test", 4), real("reference", 5), frozenset({"train1"}))


def written(index: int, text: str, source: str = "", exemplar: str = "") -> Outcome:
    made = Provenance("g", "file", source_id=source, exemplar_ids=(exemplar,) if exemplar else ())
    return Outcome(index, document=Document(f"s{index}", text, ("a",), f"s{index}", provenance=made))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("test4", "written_from_test"),
        ("reference5", "written_from_reference"),
        ("train2", "source_outside_regime"),
    ],
)
@pytest.mark.parametrize("keeps", [True, False])
def test_what_was_written_from_documents_out_of_reach_is_rejected(
    source: str, reason: str, keeps: bool
) -> None:
    outcomes = [
        written(0, "quite another text about canes", source),
        written(1, "a ramp for wheels and more"),
    ]
    screened = screen(outcomes, REAL, keeps_rejected=keeps)
    assert [document.id for document in screened.kept] == ["s1"]
    assert screened.rejected == {reason: 1}


def test_exemplars_count_as_sources_and_visible_ones_are_fine() -> None:
    outcomes = [
        written(0, "quite another text about canes", exemplar="test4"),
        written(1, "a ramp for wheels and more", "train1"),
        written(2, "hearing loops in public halls", "somewhere else"),
    ]
    screened = screen(outcomes, REAL, keeps_rejected=False)
    assert [document.id for document in screened.kept] == ["s1", "s2"]


def test_an_unnamed_copy_joins_the_family_of_its_original() -> None:
    copy = REAL.train.texts[1].upper()
    (document,) = screen([written(0, copy)], REAL, keeps_rejected=True).kept
    assert document.family == "f2"


def test_copies_are_rejected_beside_the_document_they_repeat() -> None:
    screened = screen([written(0, REAL.test.texts[0])], REAL, keeps_rejected=False)
    assert screened.rejected == {"copy_of_test": 1}
    assert screened.examples[0]["nearest_text"] == REAL.test.texts[0]


def test_what_a_simulator_repeats_is_flagged_and_kept() -> None:
    screened = screen([written(0, REAL.train.texts[0])], REAL, keeps_rejected=True)
    assert len(screened.kept) == 1
    assert (screened.rejected, screened.flagged) == ({}, {"copy_of_real": 1})


def test_an_account_that_loses_candidates_is_an_error() -> None:
    with pytest.raises(StudyError, match="1 candidates of g are unaccounted for"):
        Written(CorpusKey("g", 0), "", 0, 3, {"empty": 1}, {"timeout": 1}, {}, True, [])
