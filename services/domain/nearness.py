"""What somebody who misspelt a name may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches

# Of difflib: "audti" is like "audit" by .8, and words that share a syllable by .6.
LEAST_LIKENESS = 0.7
LEAST_BEGINNING = 3


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name most like another one, or the only one it begins, whatever their case.

    "" where none is near.
    """
    by_lower, wanted = {one.casefold(): one for one in known}, name.casefold()
    found = get_close_matches(wanted, by_lower, 1, LEAST_LIKENESS)
    begun = [one for one in by_lower if one.startswith(wanted)] if len(wanted) >= LEAST_BEGINNING else []
    near = found or (begun if len(begun) == 1 else [])
    return by_lower[near[0]] if near else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" to end a message with, or "" where no name is near."""
    found = nearest(name, known)
    return f"; did you mean {found!r}?" if found else ""
