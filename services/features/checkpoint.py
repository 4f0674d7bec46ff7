"""A sentence encoder's checkpoint: found, checked and described without opening a pickle.

A checkpoint is the folder that sentence-transformers writes: weights as
safetensors, config.json, a tokenizer, and modules.json with the pooling's own
config.json. A plain transformers folder will do where the pooling is given.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from services.domain.digest import spec_digest
from services.domain.errors import InvalidInputError, PreconditionError

POOLINGS = ("mean", "cls")
WEIGHTS = "*.safetensors"
# What a vector can depend on, and what is fetched; a pickle can run code, so none is ever opened.
PATTERNS = (WEIGHTS, "*.json", "*.txt", "*.model")
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
# A module's class, whatever package it lives in; a pooled vector is made a unit vector anyway.
APPLIED_MODULES = ("Transformer", "Pooling", "Normalize")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the files say.

    Args:
        folder: Of weights, config.json and tokenizer.
        digest: Of the bytes of every file that vectors depend on.
        pooling: "mean" or "cls".
        longest: Tokens the model reads of a text; None where no file says.
        prefix: Text that the checkpoint wants in front of every text.
        lower_case: Whether texts are lower-cased first.
        dimensions: Of the pooled vector.
    """

    folder: Path
    digest: str
    pooling: str
    longest: int | None
    prefix: str
    lower_case: bool
    dimensions: int


def read_checkpoint(root: Path, pooling: str | None = None) -> Checkpoint:
    """Return what a checkpoint's files say; `pooling` overrules them.

    Raises:
        PreconditionError: Weights are missing, damaged or pickled, a file is not
            readable, or the checkpoint applies a module that is not known here.
        InvalidInputError: A pooling that there is not, or none given and none on file.
    """
    parts = _module_folders(root)
    folder = root / parts.get("Transformer", "")
    _check_weights(folder)
    config = _json(folder / "config.json")
    lengths = _json(folder / "sentence_bert_config.json", optional=True)
    return Checkpoint(
        folder,
        _digest(root),
        _pooling(root, parts.get("Pooling"), pooling),
        _longest(config, lengths),
        _prefix(_json(root / "config_sentence_transformers.json", optional=True)),
        bool(lengths.get("do_lower_case", False)),
        _hidden_size(config, folder),
    )


def _module_folders(root: Path) -> dict[str, str]:
    """Return each module's folder by its class."""
    if not (root / "modules.json").is_file():
        return {}
    modules = _json(root / "modules.json")
    if not isinstance(modules, list) or not all(isinstance(one, dict) for one in modules):
        raise _unreadable(root / "modules.json", "it is no list of modules")
    found = {str(one.get("type", "")).rsplit(".", 1)[-1]: str(one.get("path", "")) for one in modules}
    strange = [name for name in found if name not in APPLIED_MODULES]
    if strange:
        raise PreconditionError(
            f"the checkpoint {root.name!r} applies {', '.join(strange)}; only {', '.join(APPLIED_MODULES)} are known "
            "here: choose another checkpoint, or write an encoder of its own",
            field="encoder",
        )
    return found


def _check_weights(folder: Path) -> None:
    files = sorted(folder.glob(WEIGHTS))
    if not files:
        pickled = sorted(file.name for pattern in PICKLES for file in folder.glob(pattern))
        found = f"only {', '.join(pickled)}, a pickle that could run code" if pickled else "no weights"
        raise PreconditionError(
            f"the checkpoint {folder.name!r} has {found}; save it as model.safetensors", field="encoder"
        )
    for file in files:
        try:
            with safe_open(file, framework="numpy") as opened:
                opened.keys()
        except (SafetensorError, OSError) as error:
            raise _unreadable(file, str(error)) from None


def _pooling(root: Path, folder: str | None, given: str | None) -> str:
    if given is not None:
        if given not in POOLINGS:
            raise InvalidInputError(
                f"no pooling {given!r}; there are: {', '.join(POOLINGS)}", field="pooling"
            )
        return given
    if folder is None:
        raise InvalidInputError(
            f"no file of {root.name!r} says how tokens are pooled; give pooling='mean' or pooling='cls'",
            field="pooling",
        )
    config: dict[str, Any] = _json(root / folder / "config.json")
    modes = [name for name, on in config.items() if name.startswith("pooling_mode_") and on is True]
    modes = modes or [str(config.get("pooling_mode", "nothing"))]
    names = [
        mode.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token") for mode in modes
    ]
    if len(names) != 1 or names[0] not in POOLINGS:
        raise PreconditionError(
            f"the checkpoint {root.name!r} pools by {' and '.join(names)}; known here: {', '.join(POOLINGS)}",
            field="pooling",
        )
    return names[0]


def _longest(config: dict[str, Any], lengths: dict[str, Any]) -> int | None:
    """Return the tokens that fit; positions of RoBERTa's kin begin after the padding's."""
    positions = config.get("max_position_embeddings")
    if positions and "roberta" in str(config.get("model_type", "")):
        positions -= int(config.get("pad_token_id") or 0) + 1
    known = [int(value) for value in (lengths.get("max_seq_length"), positions) if value]
    return min(known, default=None)


def _prefix(config: dict[str, Any]) -> str:
    name = config.get("default_prompt_name")
    return str((config.get("prompts") or {}).get(name) or "") if name else ""


def _hidden_size(config: dict[str, Any], folder: Path) -> int:
    found = config.get("hidden_size") or config.get("dim") or config.get("d_model")
    if not found:
        raise _unreadable(folder / "config.json", "it names no hidden_size")
    return int(found)


def _digest(root: Path) -> str:
    files = sorted({file for pattern in PATTERNS for file in root.rglob(pattern) if file.is_file()})
    return spec_digest({str(file.relative_to(root)): _file_digest(file) for file in files})


def _file_digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _json(file: Path, *, optional: bool = False) -> Any:
    if optional and not file.is_file():
        return {}
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(file, str(error)) from None


def _unreadable(file: Path, reason: str) -> PreconditionError:
    return PreconditionError(
        f"{file.name} of the checkpoint {file.parent.name!r} cannot be read: {reason}; fetch the checkpoint again",
        field="encoder",
    )
