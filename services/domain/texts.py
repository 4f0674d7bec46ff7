"""When two texts say the same."""

import re

_NO_WORD = re.compile(r"[\W_]+")


def normalised(text: str) -> str:
    """Return the case-folded words of a text, one space apart; empty where there are none.

    Equal texts are those of which this is equal: case, punctuation, white space and
    underscores make no difference.
    """
    return _NO_WORD.sub(" ", text.casefold()).strip()
