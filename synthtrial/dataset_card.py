"""The card of an exported dataset: what wrote it, what became of it, and what a study found."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pandas as pd

from flows.datasets import DATASETS
from flows.report.formatting import count, listed, missing, score_name, text_or
from flows.report.wording import ON_REAL_DOCUMENTS, ON_TRAINING_SETS, counts_words, effect_words
from services.domain.digest import spec_digest
from synthtrial.card_writers import Writers

GAIN = "gain_vs_control"


@dataclass(frozen=True, slots=True)
class Account:
    """A corpus by its split: requested = accepted + rejected + failed; `corpus` is empty without documents."""

    split: str
    corpus: str
    requested: int
    accepted: int
    rejected: int
    failed: int


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """What a study's tables say of one generator.

    Attributes:
        design: The design, as its results hold it.
        reasons: One row per corpus, outcome and reason.
        contrasts: One row per contrast; declared ones have a verdict.
    """

    design: dict[str, Any]
    generator: str
    accounts: tuple[Account, ...]
    reasons: pd.DataFrame
    contrasts: pd.DataFrame


def dataset_card(findings: Findings, writers: Writers, languages: Sequence[str] = ()) -> str:
    """Return the card as Markdown below a YAML header, as a hub reads it.

    Args:
        languages: Codes; empty where nobody knows.
    """
    parts = (
        _header(findings, languages),
        f"# Synthetic documents of {findings.generator}",
        _warning(findings, writers),
        _written(findings, writers),
        _accounted(findings),
        _found(findings),
        _columns(languages),
    )
    return "\n\n".join(parts) + "\n"


def _header(findings: Findings, languages: Sequence[str]) -> str:
    # Strings as JSON writes them are strings in YAML.
    lines = ["---", "# Yours to choose: the license of what wrote the documents, or of what it was shown,"]
    lines += ["# may bind you.", "license: other", "task_categories:", "- text-classification"]
    lines += ["language:", *(f"- {json.dumps(code)}" for code in languages)] if languages else []
    lines += ["tags:", "- synthetic", "- synthtrial", "configs:", "- config_name: default", "  data_files:"]
    for account in findings.accounts:
        if account.corpus:
            lines += [f"  - split: {account.split}", f"    path: data/{account.split}-*.parquet"]
    return "\n".join([*lines, "---"])


def _warning(findings: Findings, writers: Writers) -> str:
    sentences = ["**Every document here is synthetic: it came from a generator under trial.**"]
    sentences += writers.sentences()
    # Copies of real documents among them are for whoever publishes to know.
    flagged = int(findings.reasons.loc[findings.reasons["outcome"] == "flagged", "count"].sum())
    if flagged:
        sentences.append(f"Screening flagged {flagged:,} of them, for the reasons below, and kept them.")
    kind = findings.design["dataset"]["kind"]
    if kind in DATASETS.names() and DATASETS.get(kind).simulated:
        sentences.append("The study's real documents were simulated as well.")
    return " ".join(sentences)


def _written(findings: Findings, writers: Writers) -> str:
    design = findings.design
    rows = [
        ("Study", f"{design['name']}, design {spec_digest(design)}, seed {design['seed']}"),
        ("Written by", f"synthtrial {version('synthtrial')}"),
        ("Backend", writers.row("backend")),
        ("Model revision", writers.row("model_revision")),
        ("Strategy", writers.row("strategy")),
        ("Genre", writers.row("genre")),
        ("Prompt family", writers.row("prompt_family")),
        ("Prompt digests", writers.row("prompt_digest")),
        ("Settings: numbers and presets", writers.row("settings")),
        ("Seeds", writers.row("seed")),
    ]
    return "## What wrote them\n\n" + _table(("What", "As recorded; documents in brackets"), rows)


def _accounted(findings: Findings) -> str:
    head = ("Split", "Requested", "Accepted", "Rejected", "Failed", "SHA-256 of the stored corpus")
    rows = [
        (a.split, *map(count, (a.requested, a.accepted, a.rejected, a.failed)), a.corpus or "none")
        for a in findings.accounts
    ]
    text = (
        "A split is one replicate of the study, and one regime where the generator learns from its documents. In "
        "each, requested = accepted + rejected + failed; only accepted documents are here. What is *flagged* was "
        "found by screening and kept."
    )
    return f"## What became of them\n\n{text}\n\n{_table(head, rows)}\n\n{_reasons(findings.reasons)}"


def _reasons(table: pd.DataFrame) -> str:
    sums: Counter[tuple[str, str]] = Counter()
    for row in table.to_dict("records"):
        sums[str(row["outcome"]), str(row["reason"])] += int(row["count"])
    rows = [(outcome, reason, count(number)) for (outcome, reason), number in sorted(sums.items())]
    return (
        _table(("Outcome", "Reason", "Documents"), rows)
        if rows
        else "Nothing was rejected, failed or flagged."
    )


def _found(findings: Findings) -> str:
    table = findings.contrasts
    declared = table[table["declared"].astype(bool)]
    shown = declared if len(declared) else table[table["kind"] == GAIN]
    if not len(shown):
        return "## What the study found\n\nThe study compared these documents with no control: there is no verdict."
    margin = f"\N{GREEK SMALL LETTER DELTA} = {findings.design['margin']:g}"
    lead = (
        f"Claims that the design declared before the run, after Holm's correction, {margin}:"
        if len(declared)
        else "The design declared no claim about these documents: what follows is exploratory and no verdict."
    )
    lines = [_claim(findings, {str(k): v for k, v in row.items()}) for row in shown.to_dict("records")]
    return "## What the study found\n\n" + "\n".join([lead, "", *(f"- {line}" for line in lines)])


def _claim(findings: Findings, row: dict[str, Any]) -> str:
    conditions = [ON_TRAINING_SETS] if row["conditional"] else []
    if 2 * int(row["regime"]) > findings.design["dataset"]["train"]:
        conditions.append(ON_REAL_DOCUMENTS)
    verdict = text_or(row["verdict"], "not tested") if row["declared"] else "exploratory"
    words = (
        f"**{verdict}**: gain in {score_name(row['score'])} of {row['arm']} over {row['control']} at {row['regime']} real "
        f"documents with {row['classifier_family']}: {effect_words(row)}; {counts_words(row)}"
    )
    # Where there is no interval, the note is the reason, which stands there already.
    notes = [] if missing(row["low95"]) else [text_or(row["note"], "")]
    return _escaped("; ".join(part for part in (words, *conditions, *notes) if part))


def _columns(languages: Sequence[str]) -> str:
    spoken = f"Languages, as stated by who exported: {listed(list(languages))}." if languages else ""
    return (
        "## Columns and license\n\n"
        "`label` or `labels` holds numbers of classes, named in the files' schema. `source_id` and `exemplar_ids` "
        "name the real documents that a text was written from, `family` what must not be split between training and "
        "test. Raw answers and other settings are left out.\n\n"
        f"{spoken or 'Languages: not stated.'}\n\n"
        "No license is stated: choose one that the terms of the writer and of its real documents allow."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([_escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
