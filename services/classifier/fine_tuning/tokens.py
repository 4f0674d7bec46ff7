"""Texts as tokens, cut to what the checkpoint takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

# A longer text is cut before it is tokenised, so that its cost is bounded. English has
# about 5 characters a token; what a cut at 64 loses lies beyond any other cut.
CHARACTERS_PER_TOKEN = 64


@dataclass(frozen=True, slots=True)
class Tokens:
    """Token identifiers of each text, and which texts were longer."""

    ids: tuple[tuple[int, ...], ...]
    truncated: tuple[bool, ...]

    def lengths(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return tokens per row."""
        return np.array([len(self.ids[row]) for row in rows.tolist()], np.int64)


def tokenise(tokenizer: Any, texts: Sequence[str], longest: int) -> Tokens:
    """Tokenise texts, special tokens included.

    Args:
        tokenizer: Of a checkpoint.
        texts: Any lengths.
        longest: Tokens kept of a text.
    """
    kept = longest * CHARACTERS_PER_TOKEN
    # One token more than is kept tells whether there were more.
    found = tokenizer([text[:kept] for text in texts], truncation=True, max_length=longest + 1)["input_ids"]
    whole = [len(ids) <= longest and len(text) <= kept for ids, text in zip(found, texts, strict=True)]
    long = [text[:kept] for text, fits in zip(texts, whole, strict=True) if not fits]
    cut = iter(tokenizer(long, truncation=True, max_length=longest)["input_ids"] if long else [])
    ids = [tuple(ids if fits else next(cut)) for ids, fits in zip(found, whole, strict=True)]
    return Tokens(tuple(ids), tuple(not fits for fits in whole))


def most_tokens(model: Any, tokenizer: Any, longest: int) -> int:
    """Return how many tokens a checkpoint takes, at most `longest`."""
    limits = [longest, int(tokenizer.model_max_length)]
    positions = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    if positions is not None and hasattr(positions, "num_embeddings"):
        # Some number positions from behind the padding's.
        first = 0 if positions.padding_idx is None else positions.padding_idx + 1
        limits.append(positions.num_embeddings - first)
    elif getattr(model.config, "max_position_embeddings", 0) > 0:
        limits.append(int(model.config.max_position_embeddings))
    return min(limits)
