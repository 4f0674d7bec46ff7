"""What the word n-grams learn."""

import numpy as np
import pytest

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.task import Task, TaskType
from services.generator.backends import BACKENDS, Candidate, WriteRequest

TASK = Task(TaskType.SINGLE_LABEL, ("cane", "lens", "unseen"))
TEXTS = {
    "cane": ["a cane has a grip", "a cane has a tip and a grip", "the cane with a tip has a sensor"],
    "lens": ["a lens has a zone", "a lens has a ring and a zone", "the lens with a ring has a coating"],
}
REAL = Corpus(
    TASK,
    tuple(
        Document(f"{label}{i}", text, (label,), f"{label}{i}")
        for label, texts in TEXTS.items()
        for i, text in enumerate(texts)
    ),
)


def write(label: str, count: int = 200, **parameters: float) -> list[Candidate]:
    writer = BACKENDS.get("markov").prepare(TASK, REAL, parameters, 1)
    return list(writer.write([WriteRequest(i, 1, (label,)) for i in range(count)]))


def test_it_says_nothing_but_words_of_the_real_documents() -> None:
    known = {word for text in REAL.texts for word in text.split()}
    assert {word for c in write("cane") for word in c.text.split()} <= known


def test_labels_show_in_their_documents() -> None:
    own = {"cane", "grip", "tip", "sensor"}
    shares = [np.mean([len(own & set(c.text.split())) for c in write(label)]) for label in ("cane", "lens")]
    assert shares[0] > 1.5 * shares[1]


def test_label_share_of_zero_forgets_the_labels() -> None:
    texts = [[c.text for c in write(label, label_share=0.0)] for label in ("cane", "lens")]
    assert texts[0] == texts[1]


def test_label_without_documents_is_written_from_all_of_them() -> None:
    assert all(c.text for c in write("unseen"))


def test_most_texts_are_no_copies() -> None:
    assert np.mean([c.text in REAL.texts for c in write("cane")]) < 0.5


def test_text_that_reaches_the_limit_says_so() -> None:
    longest = max(len(text.split()) for text in REAL.texts)
    written = write("cane", 400)
    assert any(c.truncated for c in written)
    assert all(c.truncated == (len(c.text.split()) >= round(1.5 * longest)) for c in written)


@pytest.mark.parametrize(
    ("parameters", "field"),
    [({"order": 3}, "parameters.order"), ({"order3": 0.8, "order2": 0.4}, "parameters.order3")],
)
def test_wrong_parameters_are_refused(parameters: dict[str, float], field: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        BACKENDS.get("markov").prepare(TASK, REAL, parameters, 1)
    assert error.value.field == field
