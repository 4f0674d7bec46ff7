"""What every stage is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from flows.cells import Cell, Grid
from flows.design import Design, Profile
from flows.endpoints import Clients
from flows.experiments import (
    EXPERIMENTS,
    PlannedContrast,
    PlannedRuler,
    PlannedSearch,
)
from services.domain.corpus import Corpus
from services.domain.errors import NotFoundError
from services.domain.seeds import derived_seed
from services.storage.store import Store


@dataclass(frozen=True)
class Study:
    """A design and a profile, the services' clients and the store they share.

    `algorithms` maps backends and classifier families to their versions.
    """

    design: Design
    profile: Profile
    clients: Clients
    store: Store
    algorithms: Mapping[str, str]

    def corpus(self, sha256: str) -> Corpus:
        """Return a stored corpus; the few that are asked for again and again are kept."""
        return _corpus(str(self.store.root), sha256)

    @property
    def grid(self) -> Grid:
        return Grid(self.design, self.profile, self.algorithms)

    def seed(self, *names: str | int) -> int:
        """Return the seed of one purpose of this study."""
        return derived_seed(self.design.seed, *names)


@dataclass(frozen=True)
class StudyPlan:
    """What a study will run, and what it will not and why.

    `experiments` names those that run, in the design's order.
    """

    cells: tuple[Cell, ...]
    contrasts: tuple[PlannedContrast, ...]
    rulers: tuple[PlannedRuler, ...]
    searches: tuple[PlannedSearch, ...]
    not_run: Mapping[str, str]
    experiments: tuple[str, ...] = ()


def plan_study(design: Design, profile: Profile, grid: Grid) -> StudyPlan:
    """List cells, contrasts, rulers and searches of every experiment that can run.

    Raises:
        NotFoundError: The design names an experiment that does not exist.
    """
    asked = {name: EXPERIMENTS.get(name) for name in design.experiments}
    lacking = {name: experiment.requires(design, profile) for name, experiment in asked.items()}
    runnable = [experiment for name, experiment in asked.items() if not lacking[name]]
    not_run = {asked[name].title: reason for name, reason in lacking.items() if reason}
    contrasts = {c.name: c for e in runnable for c in e.contrasts(design)}
    rulers = {r.name: r for e in runnable for r in e.rulers(design)}
    searches = {s.arm: s for e in runnable for s in e.searches(design)}
    wanted = [w for e in runnable for w in e.cells(design)]
    return StudyPlan(
        grid.cells(wanted),
        tuple(contrasts.values()),
        tuple(rulers.values()),
        tuple(searches.values()),
        not_run,
        tuple(name for name in asked if not lacking[name]),
    )


def check_names(study: Study) -> None:
    """Refuse families, backends, metrics and encoders that the services do not have.

    Raises:
        NotFoundError: The message lists what there is.
    """
    design = study.design
    backends = {study.profile.behind(generator).backend for generator in design.generators}
    families = {family.name for family in study.clients.classifier.list_families()}
    measurable = study.clients.evaluator.list_metrics()
    metrics = {metric.name for metric in measurable.metrics if metric.kind == "fidelity"}
    known_backends = {backend.name for backend in study.clients.generator.list_backends()}
    _refuse_unknown("backend", backends, known_backends)
    _refuse_unknown("classifier family", set(design.all_families), families)
    _refuse_unknown("fidelity metric", set(design.fidelity_metrics), metrics)
    _refuse_unknown("encoder", {design.encoder} - {""}, set(measurable.encoders))


def _refuse_unknown(kind: str, wanted: set[str], known: set[str]) -> None:
    for name in sorted(wanted - known):
        raise NotFoundError(f"no {kind} {name!r}; there are: {', '.join(sorted(known))}", name=name)


def algorithms(clients: Clients) -> dict[str, str]:
    """Ask the services for the versions of their backends and families."""
    found = {backend.name: backend.version for backend in clients.generator.list_backends()}
    found |= {family.name: family.version for family in clients.classifier.list_families()}
    return found


@lru_cache(maxsize=96)
def _corpus(root: str, sha256: str) -> Corpus:
    return Store(root).get_corpus(sha256)
