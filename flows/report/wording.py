"""Effects, worths and p values as phrases; conditional results say so."""

from flows.report.formatting import count, interval, missing, number_or_none, signed, text_or
from flows.report.queries import Row

VERDICT_MARKS = {
    "better": "▲",
    "worse": "▼",
    "equivalent": "=",
    "negligible": "≈",
    "inconclusive": "?",
    "exploratory": "○",
    "not tested": "–",
    "unclear": "?",
}


def verdict_words(verdict: str) -> str:
    """A mark and the word: colour is never the only sign."""
    return f"{VERDICT_MARKS.get(verdict, '·')} {verdict}"


def effect_words(row: Row) -> str:
    """ "+0.021 (95 % interval +0.010 to +0.032)", or the reason why there is none."""
    if missing(row["effect"]):
        return f"undefined: {text_or(row['note'], 'no reason recorded')}"
    return f"{signed(row['effect'])} (95 % interval {interval(row['low95'], row['high95'])})"


def above_zero(row: Row) -> bool:
    low = number_or_none(row["low95"])
    return low is not None and low > 0


def below_zero(row: Row) -> bool:
    high = number_or_none(row["high95"])
    return high is not None and high < 0


def counts_words(row: Row) -> str:
    """ "8 replicates, 412 test families"."""
    return f"{count(row['replicate_count'])} replicates, {count(row['test_family_count'])} test families"


def worth_words(ruler: Row | None) -> str:
    """Completes "<corpus> ...": "adds what about 40 more labelled documents would, at 165 (...)"."""
    if ruler is None:
        return "has no ruler: its worth was not measured"
    at = f"at {count(ruler['regime'])}"
    if ruler["less_than_none"]:
        return f"is worth less than no further labelled document, {at} {worth_interval(ruler)}"
    if ruler["more_than_cap"]:
        return (
            f"adds more than {count(ruler['cap'])} further labelled documents would, {at}, "
            f"the most its ruler measures {worth_interval(ruler)}"
        )
    if missing(ruler["worth"]):
        return f"has an undefined worth, {at}: {text_or(ruler['note'], 'no reason recorded')}"
    return (
        f"adds what about {count(ruler['worth'])} more labelled documents would, {at} {worth_interval(ruler)}"
    )


def worth_interval(ruler: Row) -> str:
    low = "less than none" if missing(ruler["low"]) else count(ruler["low"])
    high = f"more than {count(ruler['cap'])}" if missing(ruler["high"]) else count(ruler["high"])
    return f"(95 % interval {low} to {high})"
