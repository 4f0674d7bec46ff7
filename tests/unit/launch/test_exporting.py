"""A study's synthetic documents as a dataset: whole, accounted for, and readable again."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow.parquet as pq
import pytest
from huggingface_hub import DatasetCard

from flows.datasets import DATASETS
from flows.results import rejection_reasons_table, rejections_table
from flows.stages.accounting import CorpusKey, Written
from services.domain.corpus import Corpus
from services.domain.digest import spec_digest
from services.domain.document import Document, Provenance
from services.domain.errors import InvalidInputError, NotFoundError, PreconditionError
from services.domain.task import Task, TaskType
from services.generator.client import GeneratorClient
from services.storage.store import Store
from synthtrial import cli
from synthtrial.exporting import Exported, export

LABELS = ("ramps, lifts", "hearing aids")
MADE = Provenance(
    generator="oracle",
    backend="simulator",
    model_revision="simulator-2",
    prompt_digest="ab" * 32,
    exemplar_ids=("real-1",),
    requested_labels=LABELS[:1],
    seed=41,
    sampling_json='{"path":"/home/somebody/texts","preset":"oracle","temperature":0.5}',
    raw_text="Sure! Here is a text.",
)
DESIGN = {"name": "small", "seed": 7, "margin": 0.02, "dataset": {"kind": "simulated", "train": 400}}
CLAIM = {
    "kind": "gain_vs_control",
    "regime": 60,
    "arm": "synthesis:oracle",
    "control": "row_twin:oracle",
    "generator": "oracle",
    "classifier_family": "tfidf_linear",
    "score": "micro_f1",
    "declared": True,
    "effect": 0.031,
    "low95": 0.012,
    "high95": 0.05,
    "verdict": "better",
    "conditional": False,
    "note": "",
    "replicate_count": 8,
    "test_family_count": 412,
}


def corpus(replicate: int, kind: TaskType = TaskType.MULTI_LABEL) -> Corpus:
    sets = (LABELS, LABELS[1:]) if kind is TaskType.MULTI_LABEL else (LABELS[:1], LABELS[1:])
    documents = tuple(
        # Every replicate counts from 0, as a backend without a stock may.
        Document(
            f"oracle-{i}", f"text {i} of replicate {replicate}", labels, f"f-{replicate}-{i}", "claim", MADE
        )
        for i, labels in enumerate(sets)
    )
    return Corpus(Task(kind, LABELS), documents)


def written(store: Store, replicate: int, found: Corpus | None, regime: int = 0) -> Written:
    key = CorpusKey("oracle", replicate, regime)
    reference, count = (store.put_corpus(found).sha256, len(found)) if found else ("", 0)
    return Written(
        key, reference, count, count + 3, {"empty": 2}, {"timeout": 1}, {"copy_of_real": 1}, False, []
    )


def study(folder: Path, accounts: list[Written], *claims: dict[str, Any]) -> Path:
    folder.mkdir()
    rejections_table(accounts).to_parquet(folder / "rejections.parquet")
    rejection_reasons_table(accounts).to_parquet(folder / "rejection_reasons.parquet")
    pd.DataFrame(claims or (CLAIM,)).to_parquet(folder / "claims.parquet")
    (folder / "design.json").write_text(json.dumps(DESIGN))
    return folder


@pytest.fixture
def results(store: Store, tmp_path: Path) -> Path:
    return study(tmp_path / "results", [written(store, r, corpus(r)) for r in range(2)])


def exported(results: Path, store: Store, **options: Any) -> Exported:
    return export("oracle", results.parent / "out", results, store, **options)


def card(results: Path, store: Store, **options: Any) -> str:
    return (exported(results, store, **options).folder / "README.md").read_text()


def header_of(text: str) -> dict[str, Any]:
    """What the hub reads."""
    return vars(DatasetCard(text).data)


def read_back(folder: Path, **parameters: Any) -> Corpus:
    dataset = DATASETS.get("hugging_face")
    return dataset.load({"name": str(folder), **parameters}, 0, 0, cast(GeneratorClient, None))


@pytest.mark.parametrize("kind", TaskType)
def test_what_was_exported_loads_as_a_dataset(kind: TaskType, store: Store, tmp_path: Path) -> None:
    corpora = [corpus(r, kind) for r in range(2)]
    results = study(tmp_path / "results", [written(store, r, c) for r, c in enumerate(corpora)])
    found = exported(results, store)
    assert found.document_counts == {"replicate_0": 2, "replicate_1": 2}
    back = read_back(found.folder)
    assert back.task.type is kind
    assert back.texts == corpora[0].texts + corpora[1].texts
    assert back.families == corpora[0].families + corpora[1].families
    assert [d.labels for d in back.documents] == [d.labels for c in corpora for d in c.documents]
    assert back.ids[2] == "replicate_1/oracle-0"
    assert read_back(found.folder, split="replicate_1").texts == corpora[1].texts


def test_provenance_stands_in_columns_without_raw_answers_and_paths(results: Path, store: Store) -> None:
    folder = exported(results, store).folder
    (row, *_) = pq.read_table(folder / "data" / "replicate_0-00000-of-00001.parquet").to_pylist()
    made = asdict(MADE)
    left_out = {"raw_text", "sampling_json"}
    assert {name: row[name] for name in made.keys() - left_out} == {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in made.items()
        if name not in left_out
    }
    assert not left_out & set(row)
    assert "/home" not in (folder / "README.md").read_text()


def test_the_card_says_who_wrote_what_from_which_design(results: Path, store: Store) -> None:
    text = card(results, store)
    assert "Every document here is synthetic" in text
    assert "Screening flagged 2" in text
    assert "The backend `simulator` wrote them, which is no language model" in text
    assert "real documents were simulated as well" in text
    assert f"small, design {spec_digest(DESIGN)}, seed 7" in text
    for value in ("simulator-2", "label_conditioned", "claim", "ab" * 32, "41"):
        assert f"{value} (4)" in text
    assert "preset = oracle, temperature = 0.5 (4)" in text


def test_the_card_accounts_for_every_candidate(results: Path, store: Store) -> None:
    text = card(results, store)
    sha256 = store.put_corpus(corpus(0)).sha256
    assert f"| replicate_0 | 5 | 2 | 2 | 1 | {sha256} |" in text
    for line in ("| rejected | empty | 4 |", "| failed | timeout | 2 |", "| flagged | copy_of_real | 2 |"):
        assert line in text


def test_the_header_is_yaml_that_names_every_split(results: Path, store: Store) -> None:
    # "no" is a language, which YAML would read as a truth value.
    header = header_of(card(results, store, languages=("no", "en")))
    assert header["license"] == "other"
    assert header["language"] == ["no", "en"]
    assert "synthetic" in header["tags"]
    (configuration,) = header["configs"]
    assert configuration["data_files"] == [
        {"split": f"replicate_{r}", "path": f"data/replicate_{r}-*.parquet"} for r in range(2)
    ]


def test_without_a_language_the_card_states_none(results: Path, store: Store) -> None:
    text = card(results, store)
    assert "Languages: not stated" in text
    assert header_of(text).get("language") is None


def test_a_declared_claim_stands_with_its_control_interval_and_counts(results: Path, store: Store) -> None:
    text = card(results, store)
    assert (
        "**better**: gain in micro-F1 of synthesis:oracle over row_twin:oracle at 60 real documents" in text
    )
    assert "+0.031 (95 % interval +0.012 to +0.050); 8 replicates, 412 test families" in text
    assert "exploratory" not in text


def claimed(store: Store, tmp_path: Path, **changes: Any) -> str:
    return card(study(tmp_path / "results", [written(store, 0, corpus(0))], {**CLAIM, **changes}), store)


def test_what_was_not_declared_carries_no_verdict(store: Store, tmp_path: Path) -> None:
    text = claimed(store, tmp_path, declared=False, verdict="")
    assert "declared no claim about these documents" in text
    assert "**exploratory**" in text
    assert "better" not in text


def test_an_undefined_gain_gives_its_reason_once(store: Store, tmp_path: Path) -> None:
    nothing = {"effect": None, "low95": None, "high95": None, "verdict": "not tested"}
    text = claimed(store, tmp_path, **nothing, note="too few positive labels")
    assert "**not tested**" in text
    assert text.count("undefined: too few positive labels") == text.count("too few positive labels") == 1


def test_a_claim_beyond_half_the_pool_is_conditional(store: Store, tmp_path: Path) -> None:
    assert "conditional on these real documents" in claimed(store, tmp_path, regime=201)


def test_claims_about_other_generators_stay_out(store: Store, tmp_path: Path) -> None:
    assert "there is no verdict" in claimed(store, tmp_path, generator="markov")


def test_corpora_of_regimes_are_splits_of_their_own(store: Store, tmp_path: Path) -> None:
    accounts = [written(store, 0, corpus(n), regime=n) for n in (60, 120)]
    found = exported(study(tmp_path / "results", accounts), store)
    assert list(found.document_counts) == ["replicate_0_regime_60", "replicate_0_regime_120"]
    assert read_back(found.folder, split="replicate_0_regime_120").texts == corpus(120).texts


def test_a_replicate_without_documents_is_accounted_for_and_has_no_split(
    store: Store, tmp_path: Path
) -> None:
    accounts = [written(store, 0, corpus(0)), written(store, 1, None)]
    found = exported(study(tmp_path / "results", accounts), store)
    assert list(found.document_counts) == ["replicate_0"]
    text = (found.folder / "README.md").read_text()
    assert "| replicate_1 | 3 | 0 | 2 | 1 | none |" in text
    assert "split: replicate_1" not in text


def test_a_stock_of_texts_is_not_said_to_be_no_language_model(store: Store, tmp_path: Path) -> None:
    whole = corpus(0)
    made = tuple(replace(d, provenance=replace(MADE, backend="corpus_file")) for d in whole.documents)
    text = card(study(tmp_path / "results", [written(store, 0, replace(whole, documents=made))]), store)
    assert "cannot know whether a language model wrote" in text


def test_a_generator_that_the_study_lacks_is_refused(results: Path, store: Store) -> None:
    with pytest.raises(
        NotFoundError, match=r"no generator 'oracel'; there are: oracle; did you mean 'oracle'\?"
    ):
        export("oracel", results.parent / "out", results, store)


@pytest.mark.parametrize("name", ["design.json", "rejections.parquet", "claims.parquet"])
def test_results_without_tables_are_refused(name: str, results: Path, store: Store) -> None:
    (results / name).unlink()
    with pytest.raises(NotFoundError, match=f"{name} is missing: run a study first"):
        exported(results, store)


def test_results_of_an_earlier_version_are_refused(results: Path, store: Store) -> None:
    path = results / "rejections.parquet"
    pd.read_parquet(path).drop(columns="corpus").to_parquet(path)
    with pytest.raises(PreconditionError, match="run the study again"):
        exported(results, store)


def test_a_store_without_the_corpora_is_refused_and_leaves_nothing_behind(
    results: Path, store: Store
) -> None:
    store.objects.path(store.put_corpus(corpus(1)).sha256).unlink()
    before = set(results.parent.iterdir())
    with pytest.raises(
        PreconditionError, match=r"does not hold the corpus of replicate_1 .* SYNTHTRIAL_STORE"
    ):
        exported(results, store)
    assert set(results.parent.iterdir()) == before


def test_a_generator_of_which_nothing_was_accepted_is_refused(store: Store, tmp_path: Path) -> None:
    results = study(tmp_path / "results", [written(store, 0, None)])
    with pytest.raises(PreconditionError, match="no document of oracle was accepted"):
        exported(results, store)


def test_a_folder_that_is_there_is_left_alone(results: Path, store: Store) -> None:
    (results.parent / "out").mkdir()
    with pytest.raises(InvalidInputError, match="is there already") as refused:
        exported(results, store)
    assert refused.value.field == "to"
    assert not list((results.parent / "out").iterdir())


def test_the_command_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--generator", "oracle", "--to", str(tmp_path / "out"), "--results", str(tmp_path)]
    assert cli.main(["export", *arguments]) == 1
    assert "run a study first" in capsys.readouterr().err
