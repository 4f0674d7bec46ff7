"""Fits over one source: a network that is loaded once and starts anew for each of them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from threading import RLock
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from services.classifier.families import Examples, Source
from services.classifier.fine_tuning import checkpoints
from services.classifier.fine_tuning.batches import Rows
from services.classifier.fine_tuning.loop import Held, Training
from services.classifier.fine_tuning.machine import Machine, enough_memory, repeatable
from services.classifier.fine_tuning.network import Network
from services.classifier.fine_tuning.paths import pool_of
from services.classifier.fine_tuning.progress import FORM, SavedStanding
from services.classifier.fine_tuning.settings import FineTuning
from services.classifier.fine_tuning.stage import Floats, Stage
from services.classifier.fine_tuning.tokens import most_tokens, tokenise
from services.classifier.parameters import parameter_values, read_parameters
from services.classifier.stage_objective import read_objective
from services.domain.digest import sha256_hex, spec_digest, text_digest
from services.domain.task import TaskType


class Fit(NamedTuple):
    """What training changed, the steps of each stage, what is worth knowing of it, and its file."""

    weights: dict[str, Tensor]
    taken: tuple[int, ...]
    estimates: dict[str, float]
    saved: SavedStanding


class Fitter:
    """One checkpoint over the documents of one source. One caller at a time: there is one network.

    Args:
        source: The documents.
        settings: Of the request.
    """

    def __init__(self, source: Source, settings: FineTuning) -> None:
        self._lock, self._settings, self._store = RLock(), settings, source.store
        self._texts = tuple(text for block in source.blocks for text in block.texts)
        self._machine = Machine.here(settings.precision)
        model = checkpoints.load_model(settings.checkpoint, settings.attention)
        tokenizer = checkpoints.load_tokenizer(settings.checkpoint)
        self.longest = most_tokens(model, tokenizer, settings.longest)
        self._attention = str(getattr(model.config, "_attn_implementation", None) or "eager")
        network = Network(model, settings.freeze, self._machine.device)
        self._initial = network.weights()
        tokens = tokenise(tokenizer, self._texts, self.longest)
        padding = int(tokenizer.pad_token_id or 0)
        self._pool, self._path = pool_of(tokens, padding, network, self._machine, settings, self.longest)

    @property
    def notes(self) -> dict[str, str]:
        """What scores were computed with."""
        return {
            "checkpoint": self._settings.checkpoint,
            "revision": self.revision,
            "precision": self._machine.precision,
            "attention": self._attention,
            "device": self._machine.device.type,
            **self._path,
        }

    @property
    def description(self) -> dict[str, str]:
        """Return what `described` reads back."""
        settings = json.dumps(parameter_values(self._settings), sort_keys=True)
        return {"settings": settings, "revision": f"{self.revision}/{self._machine.precision}"}

    @cached_property
    def revision(self) -> str:
        return checkpoints.revision(self._settings.checkpoint)

    @property
    def refits(self) -> bool:
        return self._settings.refit

    def fit(self, examples: Examples, g: int, limits: tuple[int, ...] = ()) -> Fit:
        """Train on all stages under one of the weightings; goes on where a killed one stopped.

        Args:
            examples: The last stage; it holds those before.
            g: Which weighting.
            limits: Steps for each stage, to end there instead of by the held-out rows.

        Raises:
            PreconditionError: The loss was no longer a number, or memory ran out.
        """
        stages = tuple(_stage(part, g) for part in (*examples.before, examples))
        held = Held(
            *(
                (examples.held[:0], examples.held_truth[:0])
                if limits
                else (examples.held, examples.held_truth)
            )
        )
        with self._lock, self._computing():
            for stage in stages:
                self._pool.remember(stage.rows)
            self._pool.remember(held.rows)
            constant = self._start(examples.type, stages)
            training = Training(self._pool, self._settings, examples.type, held, examples.seed)
            saved = self._saved(examples, stages, held, limits)
            taken = training.run(stages, saved, limits)
            weights = {name: tensor.cpu() for name, tensor in self._pool.network.weights().items()}
        return Fit(weights, taken, self._estimates(stages, sum(taken), constant), saved)

    def logits(self, weights: Mapping[str, Tensor], rows: Rows) -> Floats:
        """Return the logits of rows under some weights, shape (n, labels)."""
        with self._lock, self._computing():
            self._pool.network.restore(weights)
            self._pool.remember(rows)
            return self._pool.all_logits(rows)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        with repeatable(self._machine.device), enough_memory(self._settings.batch, self.longest):
            yield

    def _start(self, task_type: TaskType, stages: tuple[Stage, ...]) -> int:
        """Put back the checkpoint's weights under a head that knows label frequencies; count constant labels."""
        total = sum(stage.weights.sum(dtype=np.float64) for stage in stages)
        share = sum(stage.weights.astype(np.float64) @ stage.truth for stage in stages) / total
        constant = np.where(share <= 0, -1, np.where(share >= 1 - 1e-9, 1, 0)).astype(np.int8)
        safe = np.clip(share, 1e-6, 1 - 1e-6)
        odds = np.log(safe) if task_type is TaskType.SINGLE_LABEL else np.log(safe / (1 - safe))
        self._pool.network.restore(self._initial)
        self._pool.network.start_head(odds, constant)
        return int(np.count_nonzero(constant))

    def _estimates(self, stages: tuple[Stage, ...], steps: int, constant: int) -> dict[str, float]:
        rows = np.unique(np.concatenate([stage.rows for stage in stages]))
        truncated = sum(self._pool.tokens.truncated[row] for row in rows.tolist())
        return {
            "constant_labels": float(constant),
            "steps": float(steps),
            "truncated_documents": float(truncated),
            "longest_tokens": float(self.longest),
        }

    def _saved(
        self, examples: Examples, stages: tuple[Stage, ...], held: Held, limits: tuple[int, ...]
    ) -> SavedStanding:
        """Return the file of this very fit, named by everything its result depends on."""
        parts = [self._named(stage.rows, stage.truth, stage.weights) for stage in stages]
        objectives = [part.objective for part in (*examples.before, examples)]
        key = {
            **self.notes,
            "form": FORM,
            "settings": parameter_values(self._settings),
            "type": examples.type.value,
            "seed": examples.seed,
            "stages": list(zip(objectives, parts, strict=True)),
            "held": self._named(held.rows, held.truth),
            "limits": limits,
        }
        return SavedStanding(self._store.root / "standings" / f"{spec_digest(key)}.safetensors")

    def _named(self, rows: Rows, *arrays: np.ndarray) -> list[str]:
        texts = spec_digest([text_digest(self._texts[row]) for row in rows.tolist()])
        return [texts, *(sha256_hex(np.ascontiguousarray(array).tobytes()) for array in arrays)]


def described(metadata: Mapping[str, str]) -> tuple[FineTuning, str]:
    """Return the settings and the revision of a model that was written down."""
    settings = read_parameters(FineTuning, json.loads(metadata["settings"]), "fine_tuned_encoder")
    return settings, metadata["revision"]


def tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Return arrays as tensors of their own."""
    return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}


def _stage(examples: Examples, g: int) -> Stage:
    used = np.flatnonzero(examples.weights[:, g] > 0)
    objective = read_objective(examples.objective, examples.type)
    return Stage(examples.rows[used], examples.truth[used], examples.weights[used, g], objective)
