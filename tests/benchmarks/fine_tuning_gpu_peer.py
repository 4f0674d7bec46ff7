"""The Hugging Face Trainer on the function that `fine_tuned_encoder` trains."""

import tempfile
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from services.classifier.fine_tuning.checkpoints import library, load_model
from services.classifier.fine_tuning.loop import rate_at
from services.classifier.fine_tuning.settings import FineTuning
from services.classifier.fine_tuning.steps import groups

# Lengths are filled up to a multiple of so many, which spares the Trainer most new shapes.
LENGTH_STEP = 8


class Trained(NamedTuple):
    """What the Trainer ended with: weights as `Network.restore` takes them; the rate is that after some steps."""

    weights: dict[str, Tensor]
    documents_per_second: float
    warm_up_seconds: float
    gibibytes: float


class Peer(torch.nn.Module):
    """The same function as a module for the Trainer."""

    def __init__(self, folder: str, log_odds: np.ndarray) -> None:
        super().__init__()
        self.body = load_model(folder, "sdpa")
        for parameter in self.body.parameters():
            parameter.requires_grad_(True)
        self.slopes = torch.nn.Parameter(torch.zeros(len(log_odds), self.body.config.hidden_size))
        self.intercepts = torch.nn.Parameter(torch.from_numpy(log_odds).float())

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> dict[str, Tensor]:
        hidden = self.body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state.float()
        seen = attention_mask[:, :, None].float()
        pooled = torch.nn.functional.normalize((hidden * seen).sum(1) / seen.sum(1), dim=1)
        with torch.autocast("cuda", enabled=False):
            logits = pooled @ self.slopes.T + self.intercepts
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
        return {"loss": loss, "logits": logits}

    @property
    def trained(self) -> dict[str, Tensor]:
        """Everything by the names of `Network.trained`."""
        body = dict(self.body.named_parameters())
        return {**body, "head.slopes": self.slopes, "head.intercepts": self.intercepts}

    def weights(self) -> dict[str, Tensor]:
        """Return what `Network.restore` takes."""
        trained = {name: tensor.detach() for name, tensor in self.trained.items()}
        count = len(self.intercepts)
        return {**trained, "head.free": torch.ones(count), "head.fixed": torch.zeros(count)}


def train_peer(
    settings: FineTuning,
    tokens: Sequence[Sequence[int]],
    truth: np.ndarray,
    log_odds: np.ndarray,
    sampling: str,
    seed: int,
) -> Trained:
    """Train in bfloat16 with dynamic padding.

    Args:
        settings: Checkpoint, batch, steps and rates.
        tokens: Of the documents.
        truth: Shape (documents, labels).
        log_odds: Shape (labels,), of the head at the start.
        sampling: "random" or "group_by_length".
        seed: Of the order.
    """
    transformers = library()
    model, clock = Peer(settings.checkpoint, log_odds), _clock(transformers, settings.steps // 3)
    parts = [{**group, "lr": group["highest"]} for group in groups(model.trained, settings)]
    optimiser = torch.optim.AdamW(parts, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_at(step, settings.steps))
    documents = [
        {"input_ids": list(ids), "length": len(ids), "labels": labels}
        for ids, labels in zip(tokens, truth, strict=True)
    ]
    torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory() as folder:
        transformers.Trainer(
            model,
            _arguments(transformers, folder, settings, sampling, seed),
            train_dataset=documents,
            data_collator=_side_by_side,
            optimizers=(optimiser, schedule),
            callbacks=[clock],
        ).train()
    rate, warm_up = clock.rate(settings.batch)
    weights = {name: tensor.cpu() for name, tensor in model.weights().items()}
    return Trained(weights, rate, warm_up, torch.cuda.max_memory_reserved() / 2**30)


def _arguments(transformers: Any, folder: str, settings: FineTuning, sampling: str, seed: int) -> Any:
    return transformers.TrainingArguments(
        folder,
        per_device_train_batch_size=settings.batch,
        max_steps=settings.steps,
        bf16=True,
        train_sampling_strategy=sampling,
        length_column_name="length",
        remove_unused_columns=False,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        seed=seed,
    )


def _side_by_side(documents: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
    longest = max(document["length"] for document in documents)
    longest = -(-longest // LENGTH_STEP) * LENGTH_STEP
    ids, mask = (torch.zeros(len(documents), longest, dtype=torch.long) for _ in range(2))
    for i, document in enumerate(documents):
        ids[i, : document["length"]] = torch.tensor(document["input_ids"])
        mask[i, : document["length"]] = 1
    labels = torch.from_numpy(np.array([document["labels"] for document in documents], np.float32))
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def _clock(transformers: Any, skipped: int) -> Any:
    """Return a callback that times the steps after some."""

    class Clock(transformers.TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            self.begun = time.perf_counter()

        def on_step_end(self, _: Any, state: Any, *__: Any, **___: Any) -> None:
            if state.global_step in (skipped, state.max_steps):
                torch.cuda.synchronize()
                now = time.perf_counter()
                if state.global_step == skipped:
                    self.started = now
                else:
                    self.ended, self.steps = now, state.max_steps - skipped

        def rate(self, batch: int) -> tuple[float, float]:
            """Return documents per second, and what the skipped steps took beyond their share."""
            rate = self.steps * batch / (self.ended - self.started)
            return rate, self.started - self.begun - skipped * batch / rate

    return Clock()
