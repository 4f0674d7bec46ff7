"""Tables of the page on published corpora, each from numbers alone."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from flows.report.formatting import count, interval, listed, plain, signed
from tests.study.published_scores import Comparison, Difference
from tests.study.published_sets import AUGCMP, DIMENSIONS, HYPERBOLE, KINIT, KNOWN_WORDS

Row = Mapping[Hashable, Any]
Comparisons = Mapping[tuple[str, str], Sequence[Comparison]]

SHORT = {
    KINIT: "kinit",
    KNOWN_WORDS: "kinit, known words",
    AUGCMP: "augcmp",
    HYPERBOLE: "parrot hypo-l",
    DIMENSIONS: "parrot ten-dim",
}
OUTCOMES = {
    "agree": "agree",
    "disagree": "**disagree**",
    "only published": "only theirs",
    "only here": "only ours",
    "neither": "neither",
}
NOTHING = "–"


def sets_table(audits: pd.DataFrame) -> str:
    """One line per corpus and real documents: how many there are of what, and with which classifiers."""
    head = ("Corpus", "Real documents from", "Real", "Test", "Files", "Rows", "Accepted", "Classifiers")
    rows = []
    for (corpus, source), part in audits.groupby(["corpus", source_of(audits)], sort=False):
        files = part.drop_duplicates(["draw", "file"])
        tested = f"{count(part['tested'].max())} of {count(part['official'].iloc[0])}"
        counts = (count(part["real"].max()), tested, count(len(files)))
        sums = (count(files["requested"].sum()), count(files["accepted"].sum()))
        classifiers = listed([f"`{name}`" for name in part["family"].unique()])
        rows.append((SHORT[str(corpus)], str(source), *counts, *sums, classifiers))
    return table(head, rows)


def verdicts_table(audits: pd.DataFrame) -> str:
    """One line per corpus, real documents and classifier: scores of twins, effects and verdicts."""
    head = ("Corpus", "Real documents from", "Classifier", "Files", "Twins' scores", "Effects", "Verdicts")
    rows = []
    for key, part in audits.groupby(["corpus", source_of(audits), "family"], sort=False):
        corpus, source, family = map(str, key)
        verdicts = ", ".join(f"{word} {n}" for word, n in part["verdict"].value_counts().items())
        twins = interval(part["twin"].min(), part["twin"].max(), sign=False)
        effects = interval(part["effect"].min(), part["effect"].max())
        rows.append((SHORT[corpus], source, f"`{family}`", count(len(part)), twins, effects, verdicts))
    return table(head, rows)


def compared_tables(comparisons: Comparisons, corpus: str) -> Iterable[str]:
    """The comparisons of one corpus, a table for each classifier."""
    head = (
        "Question",
        "First against second",
        "Published [95 %]",
        "n",
        "Ours [95 %]",
        "n",
        "Zero left out by",
    )
    for (name, family), found in comparisons.items():
        if name == corpus:
            rows = [(c.question, matter(c), *_both(c), OUTCOMES[c.outcome]) for c in found]
            yield f"### {SHORT[corpus]}, {family}"
            yield table(head, rows)


def matter(one: Comparison) -> str:
    """Say what is held against what; what both have in common comes last, in brackets."""
    first, second = one.first.split(" / "), one.second.split(" / ")
    if len(first) != len(second):
        return f"{one.first} against {one.second}"
    alike = [a for a, b in zip(first, second, strict=True) if a == b]
    apart = [" / ".join(part for part in side if part not in alike) for side in (first, second)]
    return " against ".join(apart) + (f" ({', '.join(alike)})" if alike else "")


def _both(one: Comparison) -> tuple[str, ...]:
    sides = (one.published, one.ours)
    return tuple(cell for side in sides for cell in (difference_words(side), str(side.draws)))


def contrasts_table(contrasts: pd.DataFrame) -> str:
    """The design's contrasts; a gain over real only stands beside the gain over the row twin."""
    head = ("Generator", "Against", "Effect [95 %]", "Verdict", "Replicates", "Test families")
    kinds = ("gain_vs_control", "gain_vs_real", "gain_vs_resampled", "ceiling")
    rows = []
    for row in _ordered(contrasts, kinds).to_dict("records"):
        against = row["control"].split(":")[0] + (" (declared)" if row["declared"] else "")
        numbers = (str(row["replicate_count"]), count(row["test_family_count"]))
        name = row["generator"] or row["arm"]
        shown = effect_words(row["effect"], row["low95"], row["high95"])
        rows.append((name, against, shown, row["verdict"], *numbers))
    return table(head, rows)


def _ordered(contrasts: pd.DataFrame, kinds: Sequence[str]) -> pd.DataFrame:
    chosen = contrasts[contrasts["kind"].isin(kinds) & (contrasts["score"] == "micro_f1")]
    chosen = chosen.assign(place=chosen["kind"].map(kinds.index))
    return chosen.sort_values(["generator", "place"], kind="stable")


def audits_tables(audits: pd.DataFrame) -> Iterable[str]:
    """Every audited file, by corpus and classifier."""
    first = ("Draw", "File", "Real", "Accepted / rejected", "Score", "This file [95 %]", "Verdict")
    head = (*first, "This generator [95 %]", "Verdict", "Real, synthetic", "Worth [95 %]")
    for (corpus, family), part in audits.groupby(["corpus", "family"], sort=False):
        yield f"### Audits of {SHORT[str(corpus)]}, {family}"
        yield table(head, [_audit_cells(row) for row in part.to_dict("records")])


def _audit_cells(row: Row) -> tuple[str, ...]:
    return (
        str(row["draw"]),
        str(row["file"]),
        count(row["real"]),
        f"{count(row['accepted'])} / {count(row['rejected'])}",
        plain(row["score"]),
        effect_words(row["effect"], row["low"], row["high"]),
        str(row["verdict"]),
        effect_words(row["generator_effect"], row["generator_low"], row["generator_high"]),
        str(row["generator_verdict"]),
        f"{count(row['generator_real'])}, {count(row['generator_synthetic'])}",
        _worth(row),
    )


def _worth(row: Row) -> str:
    if pd.isna(row["worth_cap"]):
        return "no ruler"
    cap = plain(row["worth_cap"], 0)
    low = "less than none" if pd.isna(row["worth_low"]) else plain(row["worth_low"], 0)
    high = f"more than {cap}" if pd.isna(row["worth_high"]) else plain(row["worth_high"], 0)
    if row["generator_verdict"] != "better":
        middle = "–"
    elif row["worth_beyond"] or row["worth_below"]:
        middle = f"more than {cap}" if row["worth_beyond"] else "less than none"
    else:
        middle = plain(row["worth"], 0)
    return f"{middle} [{low} to {high}]"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def effect_words(effect: object, low: object, high: object) -> str:
    """ "+0.021 [+0.010 to +0.032]"."""
    return f"{signed(effect)} [{interval(low, high)}]"


def difference_words(one: Difference) -> str:
    """As `effect_words`; where there are no draws, a dash."""
    return effect_words(one.mean, one.low, one.high) if one.draws else NOTHING


def source_of(audits: pd.DataFrame) -> pd.Series:
    """What the real documents are: draws are alike, splits are not."""
    return audits["draw"].where(~audits["draw"].str.startswith("draw "), "draws of seeds").rename("source")
