"""Model and tokenizer of a checkpoint by transformers: no network, no pickle, no foreign code."""

from pathlib import Path
from typing import Any

import torch

from services.domain.errors import PreconditionError

# The pooler of a BERT stands behind the last hidden states, which are all that is used.
UNUSED = ("pooler.",)


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer, of the kind that can say what it cut off.

    Raises:
        PreconditionError: Its files are missing or damaged.
    """
    from transformers import AutoTokenizer

    # transformers raises whatever its readers happen to raise.
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:
        raise _unusable(folder, "tokenizer", error) from error
    if not tokenizer.is_fast:
        raise PreconditionError(
            f"the checkpoint {folder.name!r} has no tokenizer.json, and nothing to make one of",
            field="encoder",
        )
    return tokenizer


def load_model(folder: Path, device: str, reduced: bool) -> Any:
    """Return the model, ready to be applied.

    Raises:
        PreconditionError: It cannot be built, or lacks weights, which would be drawn at random.
    """
    from transformers import AutoModel

    try:
        model, report = AutoModel.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.bfloat16 if reduced else torch.float32,
            output_loading_info=True,
        )
    except Exception as error:
        raise _unusable(folder, "model", error) from error
    missing = sorted(name for name in report["missing_keys"] if not name.startswith(UNUSED))
    if missing:
        raise PreconditionError(
            f"the checkpoint {folder.name!r} lacks {len(missing)} weights of its model, first {missing[0]!r}; "
            "fetch it again",
            field="encoder",
        )
    return model.to(device).eval()


def _unusable(folder: Path, part: str, error: Exception) -> PreconditionError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return PreconditionError(
        f"the {part} of the checkpoint {folder.name!r} cannot be loaded: {reason}", field="encoder"
    )
