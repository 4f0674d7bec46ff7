"""Published synthetic corpora as trials: real documents, synthetic files and a test of one audit."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer

from services.domain.seeds import stream

SEED = 2605
MOST_TESTED = 1500
DRAWS = (0, 1, 2)
# What the published grid of augcmp has too: seeds per class and texts per seed.
SEEDS_PER_CLASS, TEXTS_PER_SEED = 20, 5
KINIT, AUGCMP = "synth_kinit_ag_news", "synth_augcmp_ag_news"
KNOWN_WORDS = f"{KINIT}, known words"
HYPERBOLE, DIMENSIONS = "synth_parrot_hypo_l", "synth_parrot_ten_dim"
ZERO_SHOT, FEW_SHOT = "zero-shot", "few-shot all classes"
SHOTS = (ZERO_SHOT, FEW_SHOT)
# Documents that crowd workers labelled, as a file beside those of the models.
WORKERS = "crowd workers"


class Trial(NamedTuple):
    """One audit: its real documents, synthetic files by name, and test documents.

    `official` counts the test documents that the sample was drawn from.
    """

    corpus: str
    draw: str
    real: pd.DataFrame
    synthetic: dict[str, pd.DataFrame]
    test: pd.DataFrame
    official: int


def read(folder: Path, corpus: str, name: str) -> pd.DataFrame:
    """Return a table of one corpus; identifiers and labels stay text."""
    return pd.read_json(folder / corpus / name, lines=True, dtype=False)


def sampled(test: pd.DataFrame, corpus: str, most: int = MOST_TESTED) -> pd.DataFrame:
    """Return at most `most` test documents, the same whenever it is asked."""
    order = stream(SEED, "published", corpus, "test").permutation(len(test))
    return test.iloc[sorted(order[:most])]


def kinit(folder: Path, shots: tuple[str, ...] = SHOTS) -> Iterator[Trial]:
    """One trial per published draw of 20 real documents per class; a file per model, mode and shots."""
    seeds, written = read(folder, KINIT, "real_seeds.jsonl"), read(folder, KINIT, "synthetic.jsonl.gz")
    test = read(folder, KINIT, "real_test.jsonl.gz")
    written = written[written["shots"].isin(shots)]
    for draw in DRAWS:
        files = {
            " / ".join(map(str, key)): _plain(rows)
            for key, rows in written[written["run"] == draw].groupby(["model", "mode", "shots"])
        }
        real = _plain(seeds[seeds["run"] == draw])
        yield Trial(KINIT, f"draw {draw}", real, files, _plain(sampled(test, KINIT)), len(test))


def augcmp(folder: Path) -> Iterator[Trial]:
    """Three disjoint draws of our own from the published seeds, with some texts of every seed."""
    seeds, written = read(folder, AUGCMP, "real_seeds.jsonl"), read(folder, AUGCMP, "synthetic.jsonl.gz")
    test = read(folder, AUGCMP, "real_test.jsonl.gz")
    seeds, written = _shuffled(seeds, "seeds"), _shuffled(written, "texts")
    place = seeds.groupby(seeds["labels"].str[0]).cumcount()
    for draw in DRAWS:
        real = seeds[place // SEEDS_PER_CLASS == draw]
        from_these = written[written["source_id"].isin(real["id"])]
        files = {
            " / ".join(map(str, key)): _plain(rows.groupby("source_id").head(TEXTS_PER_SEED))
            for key, rows in from_these.groupby(["model", "mode"])
        }
        yield Trial(AUGCMP, f"draw {draw}", _plain(real), files, _plain(sampled(test, AUGCMP)), len(test))


def in_known_words(trial: Trial) -> Trial:
    """Return the trial without the words that none of its real documents has; texts without any go."""
    analyse = CountVectorizer().build_analyzer()
    known = {word for text in trial.real["text"] for word in analyse(text)}

    def cut(text: str) -> str:
        return " ".join(word for word in analyse(text) if word in known)

    files = {name: rows.assign(text=rows["text"].map(cut)) for name, rows in trial.synthetic.items()}
    kept = {name: rows[rows["text"] != ""] for name, rows in files.items()}
    return trial._replace(corpus=KNOWN_WORDS, synthetic=kept)


def parrot(folder: Path, corpus: str, splits: tuple[str, ...]) -> Trial:
    """One trial with the real documents of some splits; a file per model, and one of the workers' others."""
    rows, written = read(folder, corpus, "real.jsonl.gz"), read(folder, corpus, "synthetic.jsonl.gz")
    files = {str(model): _plain(part) for model, part in written.groupby("model")}
    if "train" not in splits:
        files[WORKERS] = _plain(rows[rows["split"] == "train"])
    real, test = _plain(rows[rows["split"].isin(splits)]), rows[rows["split"] == "test"]
    return Trial(corpus, " and ".join(splits), real, files, _plain(sampled(test, corpus)), len(test))


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep what an audit reads; a split that the authors or we made is not its business."""
    return rows[[name for name in ("id", "text", "labels", "group", "source_id") if name in rows]]


def _shuffled(rows: pd.DataFrame, what: str) -> pd.DataFrame:
    return rows.iloc[stream(SEED, "published", AUGCMP, what).permutation(len(rows))]
