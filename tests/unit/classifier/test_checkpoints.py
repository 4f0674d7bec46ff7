"""Checkpoints that are not there, not whole, or not safe."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.classifier.fine_tuning import checkpoints
from services.classifier.fine_tuning.checkpoints import load_model, load_tokenizer, locate, revision
from services.domain.errors import InvalidInputError, PreconditionError, StudyError
from tests.unit.classifier.checkpoint import tiny_checkpoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_checkpoint(tmp_path / "tiny")


def without_configuration(folder: Path) -> None:
    (folder / "config.json").unlink()


def without_tokenizer(folder: Path) -> None:
    for name in ("vocab.txt", "tokenizer.json"):
        (folder / name).unlink()


def without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def cut_short(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def of_another_architecture(folder: Path) -> None:
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace('"num_hidden_layers": 2', '"num_hidden_layers": 3'))


def with_a_damaged_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{")


DAMAGE: list[tuple[Callable[[Path], None], str]] = [
    (without_configuration, "has no config.json"),
    (without_tokenizer, "has no tokenizer.json or vocab.txt"),
    (without_weights, "has no weights; safetensors are needed"),
    (pickled, "only pytorch_model.bin, a pickle"),
    (cut_short, "cannot be read"),
    (of_another_architecture, "lacks 16 weights of its architecture"),
    (with_a_damaged_tokenizer, "a tokenizer that cannot be read"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE, ids=[damage.__name__ for damage, _ in DAMAGE])
def test_a_checkpoint_that_is_not_whole_is_refused(
    folder: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(folder)
    with pytest.raises(PreconditionError, match=message) as caught:
        load_model(str(folder), "auto")
        load_tokenizer(str(folder))
    assert caught.value.metadata["field"] == "parameters.checkpoint"
    assert str(folder) in caught.value.message


def test_a_name_on_the_hub_without_a_network_says_what_to_do() -> None:
    with pytest.raises(PreconditionError, match="or name a local folder") as caught:
        locate("nobody/nothing-at-all")
    assert "HF_HUB_OFFLINE forbids" in caught.value.message


@pytest.mark.parametrize("name", ["/no/such/folder", "./nothing", "", "a/b/c"])
def test_folders_that_are_not_there_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="there is no folder") as caught:
        locate(name)
    assert caught.value.field == "parameters.checkpoint"


def test_the_revision_names_the_bytes(folder: Path, tmp_path: Path) -> None:
    first = revision(str(folder))
    assert revision(str(tiny_checkpoint(tmp_path / "same"))) == first
    assert revision(str(tiny_checkpoint(tmp_path / "other", layers=1))) != first
    (folder / "README.md").write_text("About it.")
    assert revision(str(folder)) == first


def test_without_transformers_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", absent)
    with pytest.raises(StudyError, match="pip install transformers"):
        checkpoints.library()
