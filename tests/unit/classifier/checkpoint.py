"""A checkpoint small enough for tests: random weights over the vocabulary of the separable corpora."""

from pathlib import Path

import torch

from services.classifier.fine_tuning.checkpoints import library
from tests.unit.classifier.separable import LABELS

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = (*LABELS, *(f"word{i}" for i in range(12)), "a", "no", "known", "word", "text")
POSITIONS = 48


def tiny_checkpoint(folder: Path, layers: int = 2, **changes: object) -> Path:
    """Write a BERT of hidden size 32 and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = (*SPECIAL, *WORDS)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    transformers = library()
    tokenizer = transformers.BertTokenizer(vocab=str(folder / "vocab.txt"), model_max_length=POSITIONS)
    tokenizer.save_pretrained(str(folder))
    settings = {
        "vocab_size": len(vocabulary),
        "hidden_size": 32,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": POSITIONS,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = transformers.BertModel(transformers.BertConfig(**(settings | changes)))
    model.save_pretrained(str(folder))
    return folder
