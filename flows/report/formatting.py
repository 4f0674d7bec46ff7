"""Numbers as words and figures. A missing number is 'undefined' with its reason, never 0."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

MINUS = "\N{MINUS SIGN}"
EN_DASH = "\N{EN DASH}"


def missing(value: object) -> bool:
    """Whether `value` is None, NaN or a pandas null."""
    if isinstance(value, (float, np.floating)):
        return math.isnan(value)
    return value is None or value is pd.NA


def number_or_none(value: Any) -> float | None:
    return None if missing(value) else float(value)


def text_or(value: object, other: str) -> str:
    """`value` as text, or `other` where it is missing or empty."""
    return other if missing(value) or str(value) == "" else str(value)


def undefined(reason: object) -> str:
    return f"undefined: {text_or(reason, 'no reason recorded')}"


def plain(value: object, digits: int = 3) -> str:
    """A number without forced sign, e.g. a score."""
    number = number_or_none(value)
    if number is None:
        return "undefined"
    # Rounding can leave a minus before a zero; adding zero takes it away.
    return f"{round(number, digits) + 0.0:.{digits}f}".replace("-", MINUS)


def signed(value: object, digits: int = 3) -> str:
    """A difference: always with its sign, and without a sign at zero."""
    number = number_or_none(value)
    if number is None:
        return "undefined"
    rounded = f"{number:+.{digits}f}"
    return f"{0:.{digits}f}" if float(rounded) == 0 else rounded.replace("-", MINUS)


def interval(low: object, high: object, digits: int = 3, *, sign: bool = True, reason: str = "") -> str:
    """ "+0.010 to +0.032", or "no interval" with the reason."""
    if missing(low) or missing(high):
        return f"no interval: {reason}" if reason else "no interval"
    show = signed if sign else plain
    return f"{show(low, digits)} to {show(high, digits)}"


def p_value(value: object) -> str:
    number = number_or_none(value)
    if number is None:
        return "undefined"
    return "< 0.001" if number < 0.001 else f"{number:.3f}"


def count(value: object) -> str:
    """A count with thousands separated; '–' where nothing was counted."""
    number = number_or_none(value)
    return EN_DASH if number is None else f"{round(number):,}"


def percent(part: float, whole: float) -> str:
    return "undefined: nothing was requested" if whole == 0 else f"{100 * part / whole:.1f} %"


def listed(words: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def plural(number: int, noun: str, many: str = "") -> str:
    """ "1 corpus", "3 corpora"; the number is spelled as figures."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def seconds(value: object) -> str:
    number = number_or_none(value)
    if number is None:
        return "undefined"
    if number < 120:
        return f"{number:.1f} s"
    return f"{number / 60:.1f} min"


def gigabytes(value: object) -> str:
    number = number_or_none(value)
    return "undefined" if number is None else f"{number / 2**30:.2f} GiB"


def score_name(score: str) -> str:
    """A score's column name as the field writes it."""
    known = {"micro_f1": "micro-F1", "macro_f1": "macro-F1", "lrap": "LRAP"}
    head, at, tail = score.partition("@")
    return known.get(head, head.replace("ndcg", "nDCG")) + at + tail
