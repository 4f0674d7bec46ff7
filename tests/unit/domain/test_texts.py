"""When two texts say the same."""

import pytest

from services.domain.texts import normalised


@pytest.mark.parametrize("text", ["A  Valve\n", "a valve", "a-valve!", "A_Valve", "«a» valve."])
def test_case_punctuation_and_space_make_no_new_text(text: str) -> None:
    assert normalised(text) == "a valve"


def test_words_of_every_alphabet_count() -> None:
    assert normalised("Straße 1, Größe") == "strasse 1 grösse"
    assert normalised(" … _ -- ") == ""
