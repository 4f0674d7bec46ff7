"""Published synthetic corpora, audited and studied, beside what their authors published.

Run with `python -m tests.study.published`, with a folder to keep what is finished in, and
another place of the data, if need be. Writes docs/published.md. What the folder holds of the
same code and documents is not run again: a run that was cut off goes on where it stopped.
"""

import sys
import tempfile
from pathlib import Path

import pandas as pd

from tests.study import published_scores as scores
from tests.study.published_audits import ENCODER, LINEAR, audited
from tests.study.published_design import studied
from tests.study.published_page import page
from tests.study.published_sets import AUGCMP, KINIT

PAGE = Path("docs/published.md")
DATA = Path(__file__).parents[3] / "shared" / "data"


def main(kept: str = "", data: str = str(DATA)) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(kept or folder)
        audits = pd.concat(list(audited(Path(data), work)), ignore_index=True)
        contrasts = studied(Path(data), work)
    PAGE.write_text(page(audits, contrasts, comparisons(Path(data), audits)))


def comparisons(data: Path, audits: pd.DataFrame) -> dict[tuple[str, str], list[scores.Comparison]]:
    """Return the comparisons by corpus and classifier."""
    found: dict[tuple[str, str], list[scores.Comparison]] = {}
    for family in (LINEAR.name, ENCODER.name):
        ours, theirs = effects(audits, KINIT, family), scores.kinit_scores(data)
        found[KINIT, family] = scores.compared(scores.kinit_pairs(), theirs, ours)
    ours, theirs = effects(audits, AUGCMP, LINEAR.name), scores.augcmp_scores(data)
    pairs = scores.compared(scores.augcmp_pairs(), theirs, ours)
    found[AUGCMP, LINEAR.name] = scores.against_none(theirs, ours) + pairs
    return found


def effects(audits: pd.DataFrame, corpus: str, family: str) -> dict[tuple[str, int], float]:
    """Return the effects of "this file" against its row twins, by file and draw."""
    chosen = audits[(audits["corpus"] == corpus) & (audits["family"] == family)].dropna(subset=["effect"])
    places = zip(chosen["file"], chosen["draw"].str.removeprefix("draw ").astype(int), strict=True)
    return dict(zip(places, chosen["effect"].astype(float), strict=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
