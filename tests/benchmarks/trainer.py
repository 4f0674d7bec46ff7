"""The peer of fine-tuning: the Trainer of transformers on a plain module.

The module is what ours trains, written plainly: the checkpoint's encoder, the mean of
its last states at unit length, one linear score per label. So that results can be
equal, the Trainer gets our batches in our order, our optimiser's groups and our
learning rates; no dropout, no evaluation, no saving. All else is its default.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import transformers
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from services.features.minilm_files import model_folder


class Recipe(NamedTuple):
    """What both sides are told.

    Args:
        batches: Rows of the training texts, one array per step.
        rate: Step → share of the highest learning rate.
        learning_rate: At its highest; the head's is `head_factor` times that.
        weight_decay: Of matrices.
        freeze: Lower layers that are not trained, embeddings with them; 0 trains everything.
        longest: Tokens kept of a text.
    """

    batches: Sequence[np.ndarray]
    rate: Callable[[int], float]
    learning_rate: float
    head_factor: float
    weight_decay: float
    freeze: int
    longest: int


class Classifier(nn.Module):
    """Returns scores before the sigmoid, and the loss where there are labels."""

    def __init__(self, log_odds: Tensor, freeze: int) -> None:
        super().__init__()
        # It would say that the checkpoint has a pooler, which nobody wants here.
        transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        self.encoder = transformers.AutoModel.from_pretrained(
            str(model_folder()),
            local_files_only=True,
            add_pooling_layer=False,
            dtype="float32",
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        self.head = nn.Linear(self.encoder.config.hidden_size, len(log_odds))
        nn.init.zeros_(self.head.weight)
        self.head.bias.data.copy_(log_odds)
        if freeze:
            for module in (self.encoder.embeddings, *self.encoder.encoder.layer[:freeze]):
                module.requires_grad_(False)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor | None = None
    ) -> dict[str, Tensor]:
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        seen = attention_mask[:, :, None].float()
        pooled = functional.normalize((hidden * seen).sum(1) / seen.sum(1), dim=1)
        logits = self.head(pooled)
        if labels is None:
            return {"logits": logits}
        return {"loss": functional.binary_cross_entropy_with_logits(logits, labels), "logits": logits}


class _OurBatches(transformers.Trainer):
    """The Trainer with batches of someone else's choice."""

    batches: Sequence[np.ndarray]

    def get_train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(
            self.train_dataset,  # type: ignore[arg-type]
            batch_sampler=[rows.tolist() for rows in self.batches],
            collate_fn=self.data_collator,
        )


def prepared(
    texts: Sequence[str], truth: np.ndarray, recipe: Recipe, padding: str, folder: Path
) -> transformers.Trainer:
    """Return a Trainer that has all it needs; its `train` is what is timed, its `model` what comes of it.

    Args:
        texts: Shape (n,).
        truth: Shape (n, labels); every label is in some and not in all texts.
        recipe: What to do.
        padding: "max_length", as the library's guide to the Trainer does it, or "longest", of a batch.
        folder: Where it may write.
    """
    share = np.clip(truth.mean(axis=0), 1e-6, 1 - 1e-6)
    model = Classifier(torch.from_numpy(np.log(share / (1 - share))).float(), recipe.freeze)
    optimiser = torch.optim.AdamW(list(_groups(model, recipe)), lr=recipe.learning_rate, fused=True)
    found = _OurBatches(
        model=model,
        args=_arguments(folder, len(recipe.batches)),
        train_dataset=_examples(texts, truth, recipe.longest, padding),
        data_collator=transformers.DataCollatorWithPadding(_tokenizer()),
        optimizers=(optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, recipe.rate)),
    )
    found.batches = recipe.batches
    found.remove_callback(transformers.PrinterCallback)
    return found


@torch.no_grad()
def logits(model: nn.Module, texts: Sequence[str], longest: int) -> np.ndarray:
    """Return scores before the sigmoid, shape (n, labels)."""
    batch = _tokenizer()(list(texts), truncation=True, max_length=longest, padding=True, return_tensors="pt")
    found: Tensor = model.eval()(batch["input_ids"], batch["attention_mask"])["logits"]
    return found.numpy()


def _tokenizer() -> Any:
    return transformers.AutoTokenizer.from_pretrained(str(model_folder()), local_files_only=True)


def _arguments(folder: Path, steps: int) -> transformers.TrainingArguments:
    return transformers.TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        use_cpu=True,
        dataloader_pin_memory=False,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


def _examples(texts: Sequence[str], truth: np.ndarray, longest: int, padding: str) -> list[dict[str, Any]]:
    fixed = padding == "max_length"
    found = _tokenizer()(
        list(texts), truncation=True, max_length=longest, padding="max_length" if fixed else False
    )
    return [
        {
            "input_ids": found["input_ids"][i],
            "attention_mask": found["attention_mask"][i],
            "labels": truth[i].astype(np.float32),
        }
        for i in range(len(texts))
    ]


def _groups(model: nn.Module, recipe: Recipe) -> Iterator[dict[str, Any]]:
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            factor = recipe.head_factor if name.startswith("head.") else 1.0
            decay = recipe.weight_decay if parameter.dim() > 1 else 0.0
            yield {"params": [parameter], "lr": recipe.learning_rate * factor, "weight_decay": decay}
