"""How far a fit has come, on disk between the twelfths of its budget: a killed worker's successor goes on there."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from torch import Tensor

from services.storage import files

# A kill loses no more than this, or where the weights are many so much more that writing them, at
# some hundreds of megabytes a second, stays a tenth of the time. A fit that takes less is never written.
SECONDS_BETWEEN = 15.0
BYTES_BETWEEN = 500e6
# Raised when standings are written in another form.
FORM = 2


@dataclass
class Standing:
    """Where a fit stands.

    Args:
        stage: Being trained, counted from 0.
        step: Steps taken in it.
        waited: Twelfths since the best score.
        best: Score on the held-out documents, higher first; empty before there is one.
        best_step: When it was reached.
        taken: Steps of each earlier stage, up to its best.
        tensors: Weights now ("now/…") and at the best score ("best/…"), and the optimiser's state.
    """

    stage: int = 0
    step: int = 0
    waited: int = 0
    best: tuple[float, ...] = ()
    best_step: int = 0
    taken: tuple[int, ...] = ()
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors under a prefix, without it."""
        return {k.removeprefix(prefix): t for k, t in self.tensors.items() if k.startswith(prefix)}

    def replace(self, prefix: str, tensors: Mapping[str, Tensor]) -> None:
        """Put tensors in place of all under a prefix."""
        self.tensors = {k: t for k, t in self.tensors.items() if not k.startswith(prefix)}
        self.tensors |= {prefix + k: t for k, t in tensors.items()}


class SavedStanding:
    """One fit's file; it is there only while its plan is not done."""

    def __init__(self, path: Path) -> None:
        self._path, self._written = path, time.monotonic()

    def load(self) -> Standing | None:
        """Return where a fit stood, or None when it has not begun or its file is damaged."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._path, framework="pt") as file:
                values = json.loads((file.metadata() or {})["standing"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (FileNotFoundError, SafetensorError, KeyError, ValueError):
            return None
        values |= {name: tuple(values[name]) for name in ("best", "taken")}
        return Standing(**values, tensors=tensors)

    def due(self, size: int) -> bool:
        """Whether there is more to lose than writing so many bytes costs."""
        waited = time.monotonic() - self._written
        return waited >= SECONDS_BETWEEN * max(1.0, size / BYTES_BETWEEN)

    def save(self, standing: Standing) -> None:
        """Write a standing."""
        from safetensors.torch import save

        values = {k: v for k, v in asdict(_without_tensors(standing)).items() if k != "tensors"}
        tensors = {name: tensor.contiguous() for name, tensor in standing.tensors.items()}
        files.replace(self._path, save(tensors, {"standing": json.dumps(values)}))
        self._written = time.monotonic()

    def forget(self) -> None:
        """Remove the file: the plan is done."""
        self._path.unlink(missing_ok=True)


def _without_tensors(standing: Standing) -> Standing:
    values = {
        name: getattr(standing, name) for name in ("stage", "step", "waited", "best", "best_step", "taken")
    }
    return Standing(**values)
