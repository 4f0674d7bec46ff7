"""What screening finds in single documents and in corpora."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.task import Task, TaskType
from services.generator.screening import CorpusScreening, rules_for, screen_corpus, screen_document, script_of

TASK = Task(TaskType.MULTI_LABEL, ("a", "b"))
TEXTS = [
    "a walking stick with a grip sensor and a vibrating handle for blind users",
    "a cochlear electrode array that is inserted into the scala tympani of the ear",
    "a stair lift with a guide rail and a swivel seat for elderly persons",
]
FRESH = "an entirely different sentence about pill dispensers that nobody has seen before today"


def corpus(texts: list[str], prefix: str) -> Corpus:
    return Corpus(
        TASK, tuple(Document(f"{prefix}{i}", t, ("a",), f"{prefix}{i}") for i, t in enumerate(texts))
    )


def documents(texts: list[str]) -> tuple[Document, ...]:
    return corpus(texts, "s").documents


REAL = corpus(TEXTS[:1], "real")
RULES = rules_for(TASK, corpus(TEXTS, "real"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("  … --", "empty"),
        ("I'm sorry, but I cannot write patents.", "refusal"),
        ("As an AI, I have no opinion on canes.", "refusal"),
        ("word " * 200, "too_long"),
        ("Устройство для ходьбы с датчиком", "language"),
        ("一种具有传感器的手杖", "language"),
    ],
)
def test_bad_texts_are_named(text: str, reason: str) -> None:
    finding = screen_document(text, ("a",), RULES)
    assert finding is not None and finding.reason == reason


@pytest.mark.parametrize(
    "text",
    [
        "I can't help but admire this cane.",
        "I'm sorry for the delay of your ramp.",
        "I can't thank you enough.",
    ],
)
def test_people_who_are_sorry_or_unable_are_no_refusals(text: str) -> None:
    assert screen_document(text, ("a",), RULES) is None


def test_good_text_passes_with_a_few_foreign_letters() -> None:
    assert screen_document("A sensor measures the angle α of the cane's tip.", ("a",), RULES) is None


def test_copy_of_its_source_is_found_whatever_case_and_punctuation() -> None:
    finding = screen_document("A Walking stick.", ("a",), RULES, source="a walking, stick")
    assert finding is not None and finding.reason == "copy_of_source"


def test_cut_off_text_is_truncated() -> None:
    finding = screen_document("A cane with a", ("a",), RULES, truncated=True)
    assert finding is not None and finding.reason == "truncated"


@pytest.mark.parametrize("labels", [(), ("z",)])
def test_labels_outside_the_task_are_found(labels: tuple[str, ...]) -> None:
    finding = screen_document(FRESH, labels, RULES)
    assert finding is not None and finding.reason == "label"


def test_without_real_documents_every_script_will_do() -> None:
    assert screen_document("一种具有传感器的手杖", ("a",), rules_for(TASK, None)) is None
    assert script_of("12 + 3") == ""


def test_copies_are_told_apart_by_what_they_copy() -> None:
    known = [corpus([text], name) for text, name in zip(TEXTS, ("real", "test", "reference"), strict=True)]
    screened = screen_corpus(documents([*(text.upper() + "!" for text in TEXTS), FRESH]), *known)
    assert screened.reasons == {"copy_of_real": 1, "copy_of_reference": 1, "copy_of_test": 1}
    assert [r.nearest_id for r in screened.rejections] == ["real0", "test0", "reference0"]
    assert screened.accepted == (3,)


def test_near_duplicate_names_the_nearest_document_and_how_near() -> None:
    near = TEXTS[0].replace("blind", "deaf")
    (rejection,) = screen_corpus(documents([near]), REAL).rejections
    assert rejection.reason == "near_duplicate_of_real"
    assert rejection.nearest_id == "real0"
    # 12 shingles each, of which the last two differ.
    assert rejection.similarity == pytest.approx(10 / 14)


def test_second_of_two_equal_candidates_goes() -> None:
    screened = screen_corpus(documents([FRESH, FRESH + " again"]), REAL)
    assert screened.accepted == (0,)
    assert screened.rejections[0].reason == "near_duplicate_of_synthetic"


def test_candidate_is_not_a_repeat_of_a_rejected_one() -> None:
    near = TEXTS[0].replace("blind", "deaf")
    nearer_to_that = near.replace("a walking stick with", "the foldable cane having")
    screened = screen_corpus(documents([near, nearer_to_that]), REAL)
    assert screened.accepted == (1,)


def test_nothing_to_screen_is_nothing_rejected() -> None:
    assert screen_corpus((), REAL) == CorpusScreening((), ())


WORDS = st.sampled_from(["cane", "sensor", "lens", "grip", "motor", "seat"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(WORDS, min_size=1, max_size=8).map(" ".join), max_size=12), st.integers(0, 12))
def test_screening_accounts_for_all_and_looks_back_only(texts: list[str], cut: int) -> None:
    whole = screen_corpus(documents(texts) if texts else (), REAL)
    assert sorted([*whole.accepted, *(r.position for r in whole.rejections)]) == list(range(len(texts)))
    part = screen_corpus(documents(texts[:cut]) if texts[:cut] else (), REAL)
    assert part.accepted == tuple(i for i in whole.accepted if i < cut)
