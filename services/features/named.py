"""Encoders by the name that a design or a request gives them."""

from functools import lru_cache

from services.features.encoders import ENCODERS, Encoder, FittedEncoder
from services.features.sentence_encoder import SentenceEncoder


def encoder_named(name: str) -> Encoder | FittedEncoder:
    """Return a registered encoder, or that of a checkpoint, of which nothing is read before its first use.

    Args:
        name: Of the registry; with a slash in it "owner/name" on the hub, or a folder.

    Raises:
        NotFoundError: The registry has no such encoder; checkpoints are looked for at first use.
    """
    return _of_checkpoint(name) if is_checkpoint(name) else ENCODERS.get(name)


def is_checkpoint(name: str) -> bool:
    """Say whether a name is that of a checkpoint and not of the registry."""
    return "/" in name


def is_fitted(name: str) -> bool:
    """Say whether an encoder learns from training texts; asks no checkpoint.

    Raises:
        NotFoundError: The registry has no such encoder.
    """
    return not is_checkpoint(name) and isinstance(ENCODERS.get(name), FittedEncoder)


@lru_cache(maxsize=4)
def _of_checkpoint(name: str) -> SentenceEncoder:
    return SentenceEncoder(name)
