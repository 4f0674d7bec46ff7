"""The cells of a study: regime × arm × classifier family × replicate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from flows.conditions import CONDITIONS
from flows.datasets import DATASETS
from flows.design import Design, Profile
from flows.design_parts import DISJOINT
from flows.versions import STEPS, objective_versions
from services.domain.digest import sha256_hex, spec_digest


@dataclass(frozen=True)
class Arm:
    """A condition with its settings; `generator` is empty where none is needed.

    Every condition takes the settings `documents` (how many are added, in place of
    the study's number), `objective` (the loss of all stages), `budget` (the sum of
    all weights) and `tuned` (factors on C, of which out-of-fold scores choose one).
    """

    condition: str
    generator: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        parts = [self.condition, self.generator, *(f"{k}={v}" for k, v in sorted(self.settings.items()))]
        return ":".join(part for part in parts if part)


@dataclass(frozen=True)
class Cell:
    """One training set, trained and measured once."""

    id: str
    regime: int
    arm: Arm
    family: str
    replicate: int


@dataclass(frozen=True)
class Batch:
    """Cells that one training run covers: one pool, one family."""

    regime: int
    replicate: int
    family: str
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        return f"train {self.family} n={self.regime} r={self.replicate}"


@dataclass(frozen=True)
class Wanted:
    """A cell as an experiment asks for it, before it has an identity.

    `replicates` 0 means all of the design's; fewer are for what is too dear to repeat.
    """

    regime: int
    arm: Arm
    family: str
    replicates: int = 0


class Grid:
    """Gives cells their identity: the digest of all that their numbers depend on.

    Module versions are part of it, the repository's revision is not; so a cell
    is computed again exactly when its numbers could differ.
    """

    def __init__(self, design: Design, profile: Profile, algorithms: Mapping[str, str]) -> None:
        self._design = design
        self._profile = profile
        self._algorithms = algorithms

    @cached_property
    def _common(self) -> dict[str, Any]:
        design = self._design
        dataset = DATASETS.get(design.dataset.kind)
        return {
            "dataset": design.dataset.model_dump(mode="json", exclude={"needs"}),
            "dataset_identity": dict(dataset.identity(design.dataset.parameters)),
            "dataset_version": self._algorithms.get(dataset.backend, ""),
            "steps": STEPS,
            "synthetic_documents": design.synthetic_documents,
            "folds": design.folds,
        }

    def cell(self, wanted: Wanted, replicate: int) -> Cell:
        """Return the cell with its identity."""
        specification = self._specification(wanted) | {
            "replicate": replicate,
            "seed": self._design.seed,
            "encoder": self._design.encoder,
        }
        return Cell(spec_digest(specification), wanted.regime, wanted.arm, wanted.family, replicate)

    def replicates(self, *arms: Wanted) -> range:
        """Return the replicates that all of some arms have."""
        return range(min(wanted.replicates or self._design.replicates for wanted in arms))

    def place(self, *arms: Wanted) -> str:
        """Return the digest of arms whatever the seed, the replicate and the encoder.

        What is expected of them over all seeds is filed under it.
        """
        return spec_digest([self._specification(wanted) for wanted in arms])

    def _specification(self, wanted: Wanted) -> dict[str, Any]:
        behind = self._design.family_behind(wanted.family)
        return {
            **self._common,
            "regime": wanted.regime,
            "family": wanted.family,
            "family_version": self._algorithms.get(behind, ""),
            "family_parameters": self._design.parameters_of(wanted.family),
            **({"family_behind": behind} if behind != wanted.family else {}),
            "condition": wanted.arm.condition,
            "condition_version": CONDITIONS.get(wanted.arm.condition).version,
            "settings": dict(wanted.arm.settings),
            **objective_versions(wanted.arm.settings),
            "generator": self._generator(wanted.arm.generator),
        }

    def cells(self, wanted: Iterable[Wanted]) -> tuple[Cell, ...]:
        """Return every distinct cell of all replicates, in a fixed order."""
        found = {
            cell.id: cell for item in wanted for cell in (self.cell(item, r) for r in self.replicates(item))
        }
        key = self._order
        return tuple(sorted(found.values(), key=key))

    def _order(self, cell: Cell) -> tuple[int, int, str, str]:
        return cell.regime, cell.replicate, cell.family, cell.arm.name

    def _generator(self, name: str) -> dict[str, Any]:
        if not name:
            return {}
        generator = self._design.generator(name)
        behind = self._profile.behind(generator)
        file = file_identity(behind.parameters)
        return {
            "name": name,
            "scope": generator.scope,
            # A study-wide corpus is conditioned on the smallest regime.
            "smallest_regime": self._design.smallest_regime if generator.scope == "study" else 0,
            "strategy": generator.strategy,
            "label_source": generator.label_source,
            "genre": generator.genre,
            "backend": behind.backend,
            "backend_version": self._algorithms.get(behind.backend, ""),
            "parameters": behind.parameters,
            **({"documents": generator.documents} if generator.documents else {}),
            # What a replicate gets of a stock depends on how many there are, and a file is one.
            **({"draws": [DISJOINT, self._design.replicates]} if generator.draws == DISJOINT else {}),
            **({**file, "replicates": self._design.replicates} if file else {}),
        }


def file_identity(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the digest of the file that a backend reads; nothing where it reads none that is here.

    A file that was mended under the same name is another file.
    """
    path = Path(str(parameters.get("path", "")))
    if not parameters.get("path") or not path.is_file():
        return {}
    status = path.stat()
    return {"file": _digest_of(str(path), status.st_mtime_ns, status.st_size)}


@lru_cache(maxsize=64)
def _digest_of(path: str, modified: int, size: int) -> str:
    return sha256_hex(Path(path).read_bytes())


def batches(cells: Iterable[Cell]) -> tuple[Batch, ...]:
    """Group cells by regime, replicate and family, in the cells' order."""
    groups: dict[tuple[int, int, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.regime, cell.replicate, cell.family), []).append(cell)
    return tuple(Batch(*key, tuple(members)) for key, members in groups.items())
