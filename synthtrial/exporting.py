"""A study's synthetic documents as a dataset of their own, with a card that says what they are."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError, NotFoundError, PreconditionError
from services.domain.nearness import did_you_mean
from services.storage.store import Store
from synthtrial.card_writers import Writers
from synthtrial.dataset_card import Account, Findings, dataset_card
from synthtrial.exported_table import exported_table

TABLES = ("rejections", "rejection_reasons", "claims")
EVERY_REGIME = "all"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: the folder, and documents by split."""

    folder: Path
    document_counts: dict[str, int]

    def text(self) -> str:
        """Return a line for a person."""
        total = sum(self.document_counts.values())
        return f"{total:,} synthetic documents in {len(self.document_counts)} splits: {self.folder}"


def export(
    generator: str,
    to: str | Path,
    results: str | Path = "results/latest",
    store: Store | None = None,
    languages: Sequence[str] = (),
) -> Exported:
    """Write the accepted documents of a study's generator as Parquet, a split per corpus, and a card.

    The folder is whole or not there.

    Args:
        generator: A generator of the study.
        to: The folder to make.
        results: The folder of the study's tables.
        store: Where its corpora lie; default as for a study.
        languages: Codes such as "en", for the card; empty where nobody knows.

    Raises:
        InvalidInputError: The folder to make is there already.
        NotFoundError: The results lack tables, or the study has no such generator.
        PreconditionError: No document was accepted, or the store no longer holds a corpus.
    """
    target = Path(to).absolute()
    if target.exists():
        raise InvalidInputError(f"{target} is there already; name a folder to make", field="to")
    store = store or Store.from_environment()
    design, tables = _read(Path(results))
    accounts = _accounts(tables["rejections"], generator)
    writers = Writers()
    with _whole(target) as folder:
        for account in (account for account in accounts if account.corpus):
            corpus = _corpus(store, account)
            writers.add(corpus)
            _write(folder, account.split, corpus)
        findings = Findings(
            design, generator, accounts, *(_of(tables[name], generator) for name in TABLES[1:])
        )
        (folder / "README.md").write_text(dataset_card(findings, writers, languages))
    return Exported(target, {account.split: account.accepted for account in accounts if account.corpus})


def _read(results: Path) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    paths = {name: results / f"{name}.parquet" for name in TABLES}
    missing = [path for path in (results / "design.json", *paths.values()) if not path.is_file()]
    if missing:
        raise NotFoundError(f"{missing[0]} is missing: run a study first, or name its folder with --results")
    design = json.loads((results / "design.json").read_text())
    return design, {name: pd.read_parquet(path) for name, path in paths.items()}


def _accounts(rejections: pd.DataFrame, generator: str) -> tuple[Account, ...]:
    known = list(dict.fromkeys(rejections["generator"]))
    if generator not in known:
        raise NotFoundError(
            f"the study has no generator {generator!r}; there are: {', '.join(known) or 'none'}"
            f"{did_you_mean(generator, known)}",
            name=generator,
        )
    if "corpus" not in rejections.columns:
        raise PreconditionError(
            "these results do not say where their corpora lie: an earlier version wrote them; run the study again, "
            "which computes nothing that is stored"
        )
    rows = rejections[rejections["generator"] == generator].to_dict("records")
    accounts = tuple(_account({str(name): value for name, value in row.items()}) for row in rows)
    if not any(account.corpus for account in accounts):
        raise PreconditionError(f"no document of {generator} was accepted: there is nothing to export")
    return accounts


def _account(row: dict[str, Any]) -> Account:
    scope = str(row["regime_scope"])
    split = f"replicate_{row['replicate']}" + ("" if scope == EVERY_REGIME else f"_regime_{scope}")
    counts = (int(row[name]) for name in ("requested", "accepted", "rejected", "failed"))
    return Account(split, str(row["corpus"]), *counts)


def _of(table: pd.DataFrame, generator: str) -> pd.DataFrame:
    return table[table["generator"] == generator]


def _corpus(store: Store, account: Account) -> Corpus:
    try:
        return store.get_corpus(account.corpus)
    except NotFoundError:
        raise PreconditionError(
            f"the store {store.root} does not hold the corpus of {account.split} ({account.corpus}): name the study's "
            "store by SYNTHTRIAL_STORE, or run the study again",
            sha256=account.corpus,
        ) from None


def _write(folder: Path, split: str, corpus: Corpus) -> None:
    # Named as the hub wants it, also for who reads it without the card.
    path = folder / "data" / f"{split}-00000-of-00001.parquet"
    path.parent.mkdir(exist_ok=True)
    pq.write_table(exported_table(corpus), path, compression="zstd")


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """Give a folder beside the target that takes its place at the end, or goes."""
    beside = target.with_name(f".tmp.{uuid.uuid4().hex}")
    beside.mkdir(parents=True)
    try:
        yield beside
        os.rename(beside, target)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
