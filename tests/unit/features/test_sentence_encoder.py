"""Sentence encoders from a checkpoint: tiny ones made here, and MiniLM's own folder."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError, PreconditionError
from services.domain.task import Task, TaskType
from services.features import store as feature_store
from services.features.encoders import ENCODERS
from services.features.encoders.minilm import MiniLm
from services.features.minilm_files import model_folder
from services.features.sentence_encoder import SentenceEncoder
from services.storage.store import Store

ROOT = Path(__file__).parents[3]
WORDS = ("a", "wheel", "chair", "with", "hearing", "aid", "sensor", "motor", "for", "hands", "QUERY", "query")
TEXTS = [" ".join(np.random.default_rng(i).choice(WORDS[:10], 2 + i % 11)) for i in range(40)]
LONGEST = 16

Change = Callable[[Path], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of 3,000 weights that reads sixteen tokens and takes their mean."""
    root = tmp_path_factory.mktemp("checkpoints") / "tiny"
    config = BertConfig(
        vocab_size=len(WORDS) + 4,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=24,
    )
    with torch.random.fork_rng():
        torch.manual_seed(5)
        BertModel(config, add_pooling_layer=False).save_pretrained(root)
    _tokenizer().save_pretrained(root)
    kinds = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    modules = [
        {"idx": i, "path": path, "type": f"some.package.{kind}"} for i, (path, kind) in enumerate(kinds)
    ]
    (root / "1_Pooling").mkdir()
    write(root / "modules.json", modules)
    write(
        root / "1_Pooling" / "config.json",
        {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True},
    )
    write(root / "sentence_bert_config.json", {"max_seq_length": LONGEST, "do_lower_case": False})
    return root


def _tokenizer() -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    names = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS)
    made = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )


def write(file: Path, value: object) -> None:
    file.write_text(json.dumps(value))


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def by_hand(folder: Path, text: str, pooling: str) -> np.ndarray:
    """One text alone, without padding, straight through the model."""
    model: Any = BertModel.from_pretrained(folder, add_pooling_layer=False)
    ids = torch.tensor([_tokenizer()(text)["input_ids"][:LONGEST]])
    with torch.inference_mode():
        hidden = model(input_ids=ids).last_hidden_state[0]
    vector = (hidden[0] if pooling == "cls" else hidden.mean(0)).numpy()
    return np.asarray(vector / np.linalg.norm(vector))


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_vector_is_that_of_the_text_alone(folder: Path, pooling: str) -> None:
    found = SentenceEncoder(folder, pooling=pooling, reduced=False).encode(TEXTS)
    assert found.shape == (40, 16)
    for text, vector in zip(TEXTS[::7], found[::7], strict=True):
        np.testing.assert_allclose(vector, by_hand(folder, text, pooling), atol=1e-5)


@pytest.mark.parametrize("reduced", [False, True])
def test_vector_does_not_depend_on_its_neighbours(folder: Path, reduced: bool) -> None:
    encoder = SentenceEncoder(folder, reduced=reduced)
    vectors = encoder.encode(TEXTS)
    order = np.random.default_rng(3).permutation(len(TEXTS))[:23]
    assert encoder.encode([TEXTS[i] for i in order]).tobytes() == vectors[order].tobytes()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_published_checkpoint_gives_the_vectors_of_minilm() -> None:
    encoder = SentenceEncoder(model_folder(), longest=64, reduced=False)
    some = ["a powered wheel chair", "a hearing aid with a microphone " * 20]
    cosines = (encoder.encode(some) * MiniLm(64, reduced=False).encode(some)).sum(axis=1)
    assert cosines.min() > 0.99999
    assert encoder.count_truncated(some) == 1


def test_pooling_is_read_from_either_kind_of_file(copy: Path) -> None:
    as_mean = SentenceEncoder(copy, reduced=False)
    assert "/mean/" in as_mean.revision
    write(copy / "1_Pooling" / "config.json", {"pooling_mode": "cls"})
    as_cls = SentenceEncoder(copy, reduced=False)
    assert "/cls/" in as_cls.revision
    assert np.abs(as_mean.encode(TEXTS) - as_cls.encode(TEXTS)).max() > 0.01


def test_texts_are_cut_at_what_the_model_reads_and_counted(folder: Path) -> None:
    encoder = SentenceEncoder(folder, longest=500)
    long = "wheel " * 30
    np.testing.assert_array_equal(encoder.encode([long]), encoder.encode([long + "motor"]))
    # Fourteen words and two marks are sixteen tokens.
    assert encoder.count_truncated([long, "wheel " * 14, "wheel " * 15]) == 2
    assert SentenceEncoder(folder, longest=8).count_truncated(["wheel " * 7]) == 1


def test_without_a_length_on_file_the_positions_bound_it(copy: Path) -> None:
    (copy / "sentence_bert_config.json").unlink()
    assert SentenceEncoder(copy).count_truncated(["wheel " * 22, "wheel " * 23]) == 1


def test_prefix_and_case_of_the_files_are_applied(copy: Path) -> None:
    write(
        copy / "config_sentence_transformers.json", {"prompts": {"s": "query "}, "default_prompt_name": "s"}
    )
    with_prompt, without = SentenceEncoder(copy), SentenceEncoder(copy, prefix="")
    np.testing.assert_array_equal(with_prompt.encode(["motor"]), without.encode(["query motor"]))
    assert with_prompt.revision != without.revision
    assert (without.encode(["QUERY"]) != without.encode(["query"])).any()
    write(copy / "sentence_bert_config.json", {"max_seq_length": LONGEST, "do_lower_case": True})
    lowered = SentenceEncoder(copy, prefix="")
    np.testing.assert_array_equal(lowered.encode(["QUERY"]), lowered.encode(["query"]))


def test_revision_names_the_bytes_and_the_settings(folder: Path, copy: Path) -> None:
    base = SentenceEncoder(folder, reduced=False).revision
    assert SentenceEncoder(copy, reduced=False).revision == base
    weights = load_file(copy / "model.safetensors")
    weights["embeddings.LayerNorm.bias"] += 1
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    others = (
        SentenceEncoder(copy, reduced=False),
        SentenceEncoder(folder, reduced=True),
        SentenceEncoder(folder, pooling="cls", reduced=False),
        SentenceEncoder(folder, longest=8, reduced=False),
        SentenceEncoder(folder, prefix="query ", reduced=False),
    )
    assert len({base, *(other.revision for other in others)}) == 6


def _truncate_weights(root: Path) -> None:
    file = root / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def _drop_a_weight(root: Path) -> None:
    weights = load_file(root / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, root / "model.safetensors", {"format": "pt"})


def _leave_a_pickle(root: Path) -> None:
    (root / "model.safetensors").rename(root / "pytorch_model.bin")


def _add_a_dense_module(root: Path) -> None:
    modules = json.loads((root / "modules.json").read_text())
    write(root / "modules.json", [*modules, {"idx": 3, "path": "3_Dense", "type": "some.Dense"}])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_truncate_weights, "model.safetensors of the checkpoint 'copy' cannot be read"),
        (_drop_a_weight, "lacks 1 weights of its model, first 'encoder.layer.1.output.dense.weight'"),
        (_leave_a_pickle, "only pytorch_model.bin, a pickle that could run code"),
        (lambda root: (root / "model.safetensors").unlink(), "has no weights"),
        (_add_a_dense_module, "applies Dense"),
        (lambda root: (root / "config.json").write_text("{"), "config.json of the checkpoint"),
        (lambda root: (root / "config.json").unlink(), "config.json of the checkpoint"),
        (lambda root: write(root / "modules.json", {"a": 1}), "no list of modules"),
        (lambda root: (root / "tokenizer.json").write_text("{}"), "the tokenizer of the checkpoint"),
        (lambda root: write(root / "config.json", {"model_type": "x", "hidden_size": 4}), "the model of the"),
        (
            lambda root: write(root / "1_Pooling/config.json", {"pooling_mode_lasttoken": True}),
            "pools by lasttoken",
        ),
        (
            lambda root: write(
                root / "1_Pooling/config.json",
                {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
            ),
            "pools by cls and mean",
        ),
    ],
)
def test_checkpoint_that_cannot_be_used_is_told(copy: Path, change: Change, message: str) -> None:
    change(copy)
    with pytest.raises(PreconditionError, match=message):
        SentenceEncoder(copy).encode(["a wheel"])


def test_plain_folder_needs_a_pooling(copy: Path) -> None:
    (copy / "modules.json").unlink()
    with pytest.raises(InvalidInputError, match="pooling='mean'") as caught:
        SentenceEncoder(copy).encode(["a wheel"])
    assert caught.value.field == "pooling"
    assert SentenceEncoder(copy, pooling="mean").encode(["a wheel"]).shape == (1, 16)
    with pytest.raises(InvalidInputError, match="no pooling 'max'"):
        SentenceEncoder(copy, pooling="max").encode(["a wheel"])


def test_name_without_a_network_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(PreconditionError, match=r"HF_HUB_OFFLINE forbids.*hf download nobody/nothing"):
        SentenceEncoder("nobody/nothing").encode(["a wheel"])


@pytest.mark.parametrize("source", ["./nowhere", "/no/such/folder", "a/b/c", Path("nowhere")])
def test_folder_that_is_not_there_is_not_looked_for_elsewhere(source: str | Path) -> None:
    with pytest.raises(PreconditionError, match="there is no folder"):
        _ = SentenceEncoder(source).revision


def test_length_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="longest is 2"):
        SentenceEncoder("owner/name", longest=2)


def test_store_notes_how_many_texts_were_cut(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = SentenceEncoder(folder)
    monkeypatch.setattr(ENCODERS, "get", lambda name: encoder)
    texts = ("wheel " * 30, "a wheel", "motor " * 20)
    documents = tuple(Document(f"d{i}", text, ("a",), f"f{i}") for i, text in enumerate(texts))
    corpus: ArtifactRef = store.put_corpus(Corpus(Task(TaskType.MULTI_LABEL, ("a",)), documents))
    (matrix,) = feature_store.embed_corpora(store, [corpus], "tiny")
    assert store.get_arrays(matrix)[1]["truncated_texts"] == "2"


def test_plug_in_of_three_lines_passes_the_encoders_suite(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "encoders").mkdir()
    (tmp_path / "encoders" / "tiny.py").write_text(
        "from services.features.encoders import ENCODERS\n"
        "from services.features.sentence_encoder import SentenceEncoder\n"
        f"ENCODERS.register('tiny-1.0', SentenceEncoder({str(folder)!r}))\n"
    )
    inherited = {name: value for name, value in os.environ.items() if name != "REALDATA_REQUIRED"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", "tiny", "tests/contract/test_encoders.py"],
        check=False,
        cwd=ROOT,
        env={**inherited, "SYNTHTRIAL_PLUGINS": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout and "skipped" not in done.stdout
