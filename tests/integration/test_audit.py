"""Audits from files to their report, through real services."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import synthtrial
from flows.auditing.result import AuditResult
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.task import Task, TaskType
from services.generator.backends import BACKENDS, WriteRequest
from synthtrial.audit import main

VERDICTS = {"better", "worse", "equivalent", "negligible", "inconclusive", "not tested"}
# Few draws: these tests ask whether what is said holds together, not what is true.
QUICK: dict[str, Any] = {"replicates": 5, "twins": 2, "quiet": True}

SUBJECTS = {"pump": "lifts water oil mine well", "valve": "closes pipe steam boiler flow"}
PLACES = ("left", "right", "upper", "lower", "inner", "outer", "first", "second")


def _rows(count: int, start: int = 0) -> pd.DataFrame:
    """Return documents of two labels, no two alike."""
    rows = []
    for i in range(start, start + count):
        name = list(SUBJECTS)[i % 2]
        words = SUBJECTS[name].split()
        text = f"{PLACES[i % 8]} {words[i % 5]} device {i} {words[(i // 3) % 5]} by part {i * 7} and {i * 13}"
        # Every fifth label is wrong, so that classifiers differ.
        label = name if i % 5 else list(SUBJECTS)[(i + 1) % 2]
        rows.append({"text": text, "labels": label})
    return pd.DataFrame(rows)


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., list[str]]:
    """Write the files of an audit and return its command line."""

    def write(**synthetic: pd.DataFrame) -> list[str]:
        _rows(120).to_csv(tmp_path / "train.csv", index=False)
        _rows(120, 1000).to_csv(tmp_path / "test.csv", index=False)
        for name, frame in synthetic.items():
            frame.to_csv(tmp_path / f"{name}.csv", index=False)
        paths = [str(tmp_path / f"{name}.csv") for name in synthetic]
        known = ["--real", str(tmp_path / "train.csv"), "--test", str(tmp_path / "test.csv")]
        return [*known, "--synthetic", *paths, "--output", str(tmp_path / "report"), "--replicates", "5"]

    return write


def test_the_command_prints_verdicts_and_writes_the_report(
    files: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(files(gpt=_rows(60, 5000))) == 0
    printed = capsys.readouterr().out
    for words in (
        "Preflight",
        "guessed",
        "small test",
        "this file",
        "this generator",
        "test families",
        "floor",
    ):
        assert words in printed
    assert "this generator" in (tmp_path / "report" / "audit.html").read_text()
    assert "In short: of gpt, " in (tmp_path / "report" / "audit.md").read_text()
    assert "In short: of gpt, " in " ".join(printed.split())


def test_one_label_column_may_be_named_in_the_singular(
    files: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*files(gpt=_rows(60, 5000)), "--label-column", "absent"]) == 2
    assert "has no column 'absent'" in capsys.readouterr().err


def test_a_single_frame_is_audited_under_a_name_of_ours() -> None:
    result = synthtrial.audit(_rows(120), _rows(50, 5000), _rows(110, 1000), **QUICK)
    assert [entry.name for entry in result.files] == ["synthetic"]


def test_a_second_audit_gives_the_same_numbers_and_trains_nothing(tmp_path: Path) -> None:
    def audit() -> tuple[AuditResult, list[str]]:
        result = synthtrial.audit(
            _rows(120), {"gpt": _rows(50, 5000)}, _rows(110, 1000), store=tmp_path / "kept", **QUICK
        )
        # A run's record says when its owner last worked on it.
        return result, [path.read_text() for path in sorted((tmp_path / "kept").rglob("runs/*.json"))]

    first, runs = audit()
    second, again = audit()
    pd.testing.assert_frame_equal(first.verdicts, second.verdicts)
    assert runs == again != []


def test_what_is_too_small_for_a_verdict_says_so() -> None:
    files = {"gpt": _rows(50, 5000), "tiny": _rows(4, 9000)}
    result = synthtrial.audit(_rows(120), files, _rows(60, 1000), **QUICK)
    verdicts = result.verdicts.set_index(["file", "reading"])
    assert set(verdicts["verdict"]) == {"not tested"}
    assert verdicts.loc[("gpt", "this generator"), "effect"] is not None
    assert "60 test families" in str(verdicts.loc[("gpt", "this file"), "note"])
    assert "fewer rows than replicates" in str(verdicts.loc[("tiny", "this generator"), "note"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("bad.jsonl", '{"text": "a", "labels": ["pump"]}\n{oops', "bad.jsonl:2: malformed JSON"),
        ("bad.csv", "foo,bar\n1,2\n", "cannot tell which column holds the"),
        (
            "bad.csv",
            "text,labels\nan unheard of text,strange\n",
            "no label of bad is a label of the real documents",
        ),
        ("bad.csv", "text,labels\n,pump\n", "nothing of bad remains after screening"),
        ("bad.csv", "text,labels\n", "bad.csv has no rows"),
        ("absent.csv", "", "there is no file"),
    ],
)
def test_a_bad_synthetic_file_ends_with_one_clear_message(
    name: str,
    content: str,
    message: str,
    files: Callable[..., list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = files()
    if content:
        (tmp_path / name).write_text(content)
    arguments[arguments.index("--synthetic") + 1 : arguments.index("--output")] = [str(tmp_path / name)]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("Error: ") and message in error and "Traceback" not in error


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,text,labels\n1,one thing,pump\n1,other thing,valve\n", "document ids occur more than once"),
        ("id,text,labels\n1,one thing,pump\n2,,valve\n", "train.csv:3: document '2' has no text"),
        ("id,text,labels\n1,one thing,pump\n2,other thing,\n", "train.csv:3: document '2' has no labels"),
        ("text,labels\none thing,x\nother thing,x\n", "no label of test.csv is a label of train.csv"),
    ],
)
def test_bad_real_documents_end_with_one_clear_message(
    content: str,
    message: str,
    files: Callable[..., list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = files(gpt=_rows(20, 5000))
    (tmp_path / "train.csv").write_text(content)
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_too_few_families_for_cross_fitting_are_refused(
    files: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = files(gpt=_rows(20, 5000))
    (tmp_path / "train.csv").write_text("text,labels\n" + "same words,pump\n" * 6 + "other words,valve\n" * 6)
    at = arguments.index("--test")
    assert main(arguments[:at] + arguments[at + 2 :]) == 2
    assert "5 folds by family need at least 5 families, and there are 2" in capsys.readouterr().err


@pytest.mark.realdata
def test_published_llm_paraphrases_of_ten_dimensions(realdata: Path) -> None:
    real = _published(realdata, "synth_parrot_ten_dim/real.jsonl.gz")
    written = _published(realdata, "synth_parrot_ten_dim/synthetic.jsonl.gz")
    result = synthtrial.audit(
        real[real.split != "test"][:300],
        {str(name): frame[:300] for name, frame in written.groupby("model")},
        real[real.split == "test"][:300],
        **QUICK,
    )
    _holds_together(result)
    assert len(result.files) == 2
    assert "written_from_test" in set(result.rejection_reasons["reason"])


@pytest.mark.realdata
def test_published_llm_news_tests_every_real_family_once_without_a_test_file(realdata: Path) -> None:
    pool = _published(realdata, "synth_kinit_ag_news/real_train_pool.jsonl.gz")[:200]
    written = _published(realdata, "synth_kinit_ag_news/synthetic.jsonl.gz")
    gemma = written[written.model.str.contains("gemma") & (written["mode"] == "label-conditioned")]
    result = synthtrial.audit(
        pool.drop(columns="split"),
        {"gemma": gemma[:160].drop(columns="split")},
        columns={"family": "group"},
        **QUICK,
    )
    _holds_together(result, families=pool.group.nunique())
    assert "cross-fitting" in result.found.facts["Test"]


@pytest.mark.realdata
def test_patents_of_many_labels_with_a_markov_chain(realdata: Path) -> None:
    rows = _published(realdata, "patents_wipo_ewaste/data.jsonl.gz")
    train = rows[rows.split == "train"][:300]
    result = synthtrial.audit(
        train,
        {"markov": _markov(train, 240)},
        rows[rows.split == "test"][:250],
        columns={"family": "group"},
        **QUICK,
    )
    _holds_together(result)
    assert result.found.facts["Task"].startswith("multi-label")


def _published(folder: Path, name: str) -> pd.DataFrame:
    path = folder / name
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return pd.DataFrame([json.loads(line) for line in lines])


def _markov(train: pd.DataFrame, count: int) -> pd.DataFrame:
    """Write documents with our own n-grams, for label sets of the training documents."""
    rows = train.to_dict("records")
    task = Task(TaskType.MULTI_LABEL, tuple(sorted({name for row in rows for name in row["labels"]})))
    documents = [Document(str(r["id"]), str(r["text"]), tuple(r["labels"]), str(r["id"])) for r in rows]
    writer = BACKENDS.get("markov").prepare(task, Corpus(task, tuple(documents)), {}, 7)
    requests = [WriteRequest(i, 7, documents[i % len(documents)].labels) for i in range(count)]
    return pd.DataFrame([{"text": c.text, "labels": list(c.labels)} for c in writer.write(requests)])


def _holds_together(result: AuditResult, families: int = 0) -> None:
    """Assert what must hold of every audit, whatever it found."""
    for entry in result.files:
        assert entry.requested == entry.accepted + entry.rejected + entry.failed
        assert sum(entry.reasons.values()) == entry.rejected + entry.failed
        assert len(entry.examples) == min(10, entry.rejected + entry.failed)
        this_file, generator = entry.readings
        assert this_file.conditional and "test families only" in this_file.note
        assert not generator.conditional and "conditional on these real documents" in generator.note
        assert this_file.synthetic_documents == entry.accepted
        assert generator.synthetic_documents * generator.replicate_count <= entry.accepted
        for reading in entry.readings:
            assert reading.verdict in VERDICTS
            assert reading.effect is not None and reading.low95 is not None and reading.high95 is not None
            assert reading.low95 < reading.effect < reading.high95
            assert reading.test_family_count == (families or reading.test_family_count) > 0
        assert entry.worth is not None and entry.worth.regime == generator.real_documents
        assert all(d.value is not None for d in entry.distances)
        assert entry.name in result.html and entry.name in result.markdown
