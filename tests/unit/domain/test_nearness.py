"""Only what is near is suggested."""

import pytest

from services.domain.nearness import did_you_mean, nearest

KNOWN = ("audit", "replicates", "tfidf_linear", "Pump")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("audti", "audit"),
        ("tfidf", "tfidf_linear"),
        ("pumps", "Pump"),
        ("frobnicate", ""),
        ("tf", ""),
        ("", ""),
    ],
)
def test_the_nearest_name_is_found_where_one_is_near(name: str, found: str) -> None:
    assert nearest(name, KNOWN) == found


def test_a_message_ends_with_the_question_or_nothing() -> None:
    assert did_you_mean("audti", KNOWN) == "; did you mean 'audit'?"
    assert did_you_mean("zebra", KNOWN) == ""
