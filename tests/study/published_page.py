"""The page on published corpora: what agrees comes first, every audited file last."""

from collections.abc import Iterable

import pandas as pd

from flows.report.formatting import listed, percent, signed
from tests.study import published_words as words
from tests.study.published_audits import ENCODER, LINEAR
from tests.study.published_beside import (
    steps,
    together_line,
    words_line,
    words_table,
    workers_line,
    workers_table,
)
from tests.study.published_sets import (
    AUGCMP,
    KINIT,
    MOST_TESTED,
    SEED,
    SEEDS_PER_CLASS,
    TEXTS_PER_SEED,
)
from tests.study.published_summary import (
    agreement,
    agreement_table,
    families_line,
    notable,
    strategies_of_design,
)
from tests.study.published_tables import (
    Comparisons,
    audits_tables,
    compared_tables,
    contrasts_table,
    sets_table,
    verdicts_table,
)


def page(audits: pd.DataFrame, contrasts: pd.DataFrame, comparisons: Comparisons) -> str:
    """Return the page as Markdown."""
    found = steps(audits)
    parts = [
        words.HEAD.format(files=len(audits), audits=len(audits.groupby(["corpus", "draw", "family"]))),
        agreement(comparisons),
        agreement_table(comparisons),
        words.AGREEMENT_READ,
        notable(comparisons),
        *beside(audits, contrasts, words_line(found)),
        words.STUDIED_HEAD,
        sets_table(audits),
        words.VERDICTS_HEAD,
        verdicts_table(audits),
        words.KINIT_HEAD,
        *compared_tables(comparisons, KINIT),
        words.AUGCMP_HEAD.format(seeds=SEEDS_PER_CLASS, texts=TEXTS_PER_SEED),
        *compared_tables(comparisons, AUGCMP),
        words.PARROT_HEAD,
        workers_table(audits),
        together_line(audits),
        words.FAMILIES_HEAD,
        words_table(found),
        words.FAMILIES_READ,
        words.DESIGN_HEAD,
        contrasts_table(contrasts),
        contrasts_read(contrasts),
        words.CANNOT.format(most=MOST_TESTED, seed=SEED, most_rejected=_most_rejected(audits)),
        words.AUDITS_HEAD,
        *audits_tables(audits),
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def beside(audits: pd.DataFrame, contrasts: pd.DataFrame, of_words: str) -> Iterable[str]:
    """Say what else a reader must know before the tables."""
    yield "What no published score stands beside:"
    families = families_line(audits, (LINEAR.name, ENCODER.name))
    of_families = "[below](#where-the-effect-under-tfidf_linear-comes-from)"
    lines = (
        f"* parrot: {words.PARROT_CLAIM}. Here {workers_line(audits)} ([below](#parrot)).",
        f"* Classifiers disagree. {families} {of_words} ({of_families}).",
        f"* The design, with real documents of its own: {strategies_of_design(contrasts)}.",
    )
    yield "\n".join(lines)


def contrasts_read(contrasts: pd.DataFrame) -> str:
    """Say what the declared contrasts order, where intervals do not touch."""
    declared = contrasts[contrasts["declared"]].sort_values("effect", ascending=False).to_dict("records")
    order = [f"{row['generator']} ({signed(row['effect'])})" for row in declared]
    apart = [
        f"{one['generator']} above {other['generator']}"
        for one in declared
        for other in declared
        if one["low95"] > other["high95"]
    ]
    said = listed(apart) if apart else "none: no two intervals are apart"
    return f"By effect against the row twin: {listed(order)}. Pairs whose intervals do not touch: {said}."


def _most_rejected(audits: pd.DataFrame) -> str:
    return percent((audits["rejected"] / audits["requested"]).max(), 1.0)
