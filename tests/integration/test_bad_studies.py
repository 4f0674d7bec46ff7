"""Bad input to a study or an audit: one clear error, and nothing that was done is lost."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from flows.cells import Arm, Grid, Wanted
from flows.design import Design, load_design, load_profile
from flows.run import open_run, train_everything
from services.domain.errors import (
    BackendUnavailableError,
    InvalidInputError,
    NotFoundError,
    PreconditionError,
    StudyError,
)
from services.storage.store import Store
from tests.integration.stubs import REPOSITORY, eventually, free_port

LABELS = ("cane", "lamp")
Rows = list[dict[str, Any]]


def real(count: int = 120) -> Rows:
    # Every fourth label is wrong, so that arms differ.
    labels = [LABELS[(i + (i % 4 == 0)) % 2] for i in range(count)]
    return [
        {
            "id": f"r{i}",
            "text": f"a {LABELS[i % 2]} of kind {i % 7} in place {i % 9} for {i}",
            "labels": [labels[i]],
        }
        for i in range(count)
    ]


def written(count: int = 20) -> Rows:
    return [
        {"text": f"some {LABELS[i % 2]} with {i} screws", "labels": [LABELS[i % 2]]} for i in range(count)
    ]


def save(path: Path, rows: Rows) -> str:
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return str(path)


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Train a study of two small files with some part of its design changed; return how many cells there are."""
    monkeypatch.setenv("SYNTHTRIAL_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SYNTHTRIAL_RESULTS", str(tmp_path / "results"))

    def run(
        real_rows: Rows | None = None, synthetic: Rows | None = None, file: str = "gpt", **changes: Any
    ) -> int:
        paths = [save(tmp_path / "real.jsonl", real_rows or real())]
        gpt = {"path": save(tmp_path / f"{file}.jsonl", synthetic or written())}
        values: dict[str, Any] = {
            "name": "small",
            "replicates": 2,
            "regimes": [20],
            "folds": 2,
            "synthetic_documents": 5,
            "families": ["tfidf_linear"],
            "encoder": "",
            "experiments": ["a_e1_grid"],
            "fidelity_metrics": [],
            "dataset": {
                "kind": "files",
                "train": 60,
                "test": 30,
                "reference": 0,
                "parameters": {"paths": paths},
            },
            "claims": {"regime": 20},
            "generators": [
                {"name": "gpt", "backend": "corpus_file", "label_source": "backend", "parameters": gpt}
            ],
        }
        with open_run(
            Design(**{**values, **changes}), load_profile("embedded"), Store(tmp_path / "store")
        ) as one:
            train_everything(one)
            return len(one.trained)

    return run


REFUSALS = [{"text": f"I'm sorry, but I cannot write text {i}.", "labels": ["cane"]} for i in range(8)]
GPT = [{"name": "gpt", "backend": "gpt4", "label_source": "backend"}]
SINGLE = [{**row, "labels": ["boat"]} if row["id"] == "r7" else row for row in real()]
BAD: dict[str, tuple[dict[str, Any], type[StudyError], str]] = {
    "unknown backend": ({"generators": GPT}, NotFoundError, "there are: corpus_file, "),
    "unknown family": (
        {"families": ["bert"], "claims": {"regime": 20, "family": "bert"}},
        StudyError,
        "frozen_encoder, tfidf_linear",
    ),
    "unknown experiment": (
        {"experiments": ["a_e99"]},
        NotFoundError,
        "there are: a_e10_retrieval, ",
    ),
    "a label of one document": ({"real_rows": SINGLE}, PreconditionError, "'boat' (1); leave them out"),
    "too few documents": ({"real_rows": real(70)}, PreconditionError, "cannot be split into 60 for training"),
    "document without text": (
        {"real_rows": [*real(), {"text": "", "labels": ["cane"]}]},
        InvalidInputError,
        "real.jsonl:121: the document",
    ),
    "duplicate ids": ({"real_rows": [*real(), real()[3]]}, InvalidInputError, "'r3' (2 times)"),
    "columns not to be guessed": (
        {"real_rows": [{"text": "a longer text about a cane"}]},
        InvalidInputError,
        "which column holds the labels",
    ),
    "nothing remains after screening": (
        {"synthetic": REFUSALS},
        PreconditionError,
        "has only 0 documents that passed screening of the 5 wanted",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_study_is_refused_with_what_would_do(case: str, study: Callable[..., int]) -> None:
    changes, error, says = BAD[case]
    with pytest.raises(error) as caught:
        study(**changes)
    assert says in caught.value.message


def test_a_refused_study_loses_nothing_and_goes_on_when_mended(
    study: Callable[..., int], tmp_path: Path
) -> None:
    with pytest.raises(PreconditionError, match="'refusal': 4"):
        study(synthetic=REFUSALS)
    stored = set((tmp_path / "store" / "objects").rglob("?" * 64))
    assert stored
    assert study(file="mended") == 6
    assert stored <= set((tmp_path / "store" / "objects").rglob("?" * 64))


def test_an_unknown_arm_is_answered_with_the_conditions_there_are() -> None:
    design = load_design("smoke")
    grid = Grid(design, load_profile("embedded"), {})
    with pytest.raises(
        NotFoundError, match=r"no 'doubled'; there are: .*new_real, .*real_only, .*row_twin"
    ) as caught:
        grid.cells([Wanted(design.smallest_regime, Arm("doubled"), "tfidf_linear")])
    assert caught.value.metadata["kind"] == "conditions"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("regimes =", "regimes = [165, 99000] #", "regime 99000 is larger than the train pool of"),
        ("[claims]", '[claims]\ngenerators = ["gpt4"]', "generator 'gpt4' has no arm at regime"),
    ],
)
def test_a_design_that_cannot_be_is_refused_when_read(old: str, new: str, says: str, tmp_path: Path) -> None:
    text = (REPOSITORY / "flows/designs/smoke.toml").read_text()
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(InvalidInputError) as caught:
        load_design(str(path))
    assert says in caught.value.message


def test_a_service_that_cannot_be_reached_is_named_before_anything_runs(
    study: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("SYNTHTRIAL_CLASSIFIER", address)
    with pytest.raises(BackendUnavailableError, match=f"no service answers at {address}.*make up"):
        study()


# Where the tests run in the background they inherit SIGINT ignored, and so would the audit.
INTERRUPTIBLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from synthtrial.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_an_audit_ends_at_ctrl_c_and_leaves_no_process(tmp_path: Path) -> None:
    files = {"real": real(400), "test": real(1000)[400:], "synthetic": written(300)}
    options = [
        part for name, rows in files.items() for part in (f"--{name}", save(tmp_path / f"{name}.jsonl", rows))
    ]
    audit = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "audit", *options, "--output", str(tmp_path / "out")],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with audit:
        try:
            process = psutil.Process(audit.pid)
            assert eventually(lambda: process.children(recursive=True))
            children = process.children(recursive=True)
            audit.send_signal(signal.SIGINT)
            _, said = audit.communicate(timeout=20)
        finally:
            audit.kill()
    assert audit.returncode == 130, said
    assert b"Traceback" not in said
    assert eventually(lambda: not any(child.is_running() for child in children), 10)
