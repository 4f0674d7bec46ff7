"""What every stage is given."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from flows.cells import Cell, Grid
from flows.design import Design, Profile
from flows.endpoints import Clients
from flows.experiments import (
    EXPERIMENTS,
    Experiment,
    PlannedContrast,
    PlannedRuler,
    PlannedSearch,
)
from flows.lacking import Lacking, lacking
from services.domain.corpus import Corpus
from services.domain.errors import InvalidInputError, NotFoundError
from services.domain.nearness import did_you_mean
from services.domain.seeds import derived_seed
from services.features.named import is_checkpoint
from services.storage.store import Store


@dataclass(frozen=True)
class Study:
    """A design and a profile, the services' clients and the store they share.

    The design is the part that this profile can run; `design.whole` is all of it.
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

    `experiments` names those that run, in the design's order; of those that run in part, `not_run` says
    what they lack.
    """

    cells: tuple[Cell, ...]
    contrasts: tuple[PlannedContrast, ...]
    rulers: tuple[PlannedRuler, ...]
    searches: tuple[PlannedSearch, ...]
    not_run: Mapping[str, str]
    experiments: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to run at all, as without real documents."""
        return not self.experiments and not self.cells and not self.searches


def plan_study(design: Design, profile: Profile, grid: Grid) -> StudyPlan:
    """List cells, contrasts, rulers and searches of every experiment that can run.

    Raises:
        NotFoundError: The design names an experiment that does not exist.
    """
    design = design.whole
    missing = lacking(design, profile)
    asked = {name: EXPERIMENTS.get(name) for name in design.experiments}
    reasons = {name: e.requires(design, profile) or _unmet(e, design, missing) for name, e in asked.items()}
    runnable = [experiment for name, experiment in asked.items() if not reasons[name]]
    contrasts = {
        c.name: c
        for e in runnable
        for c in e.contrasts(design)
        if missing.allows(c.treatment) and missing.allows(c.control)
    }
    rulers = {
        r.name: r
        for e in runnable
        for r in e.rulers(design)
        if all(map(missing.allows, (r.treatment, *(rung for _, rung in r.rungs))))
    }
    searches: dict[str, PlannedSearch] = {}
    for search in (s for e in runnable for s in e.searches(design) if s.generator not in missing.generators):
        if search.against or search.arm not in searches:
            searches[search.arm] = search
    wanted = [w for e in runnable for w in e.cells(design) if missing.allows(w)]
    not_run = {asked[name].title: reason for name, reason in reasons.items() if reason}
    partly = {f"{e.title}, in part": missing.words(_parts(e, design)) for e in runnable}
    return StudyPlan(
        grid.cells(wanted),
        tuple(contrasts.values()),
        tuple(rulers.values()),
        tuple(searches.values()),
        not_run | {title: reason for title, reason in partly.items() if reason},
        tuple(name for name in asked if not reasons[name]),
    )


def _unmet(experiment: Experiment, design: Design, missing: Lacking) -> str:
    """Return what an experiment lacks altogether; empty where something of it can run."""
    cells, searches = experiment.cells(design), experiment.searches(design)
    if any(map(missing.allows, cells)) or (
        not missing.dataset and any(s.generator not in missing.generators for s in searches)
    ):
        return ""
    if (
        not cells
        and not searches
        and not missing.dataset
        and len(missing.generators) < len(design.generators)
    ):
        return ""
    return missing.words(_parts(experiment, design))


def _parts(experiment: Experiment, design: Design) -> set[str]:
    """Return the generators and families that an experiment asks for; all generators where it only reads tables."""
    cells, searches = experiment.cells(design), experiment.searches(design)
    if not cells and not searches:
        return {generator.name for generator in design.generators}
    found = {part for w in cells for part in (w.arm.generator, w.family)}
    return (found | {search.generator for search in searches}) - {""}


def check_names(study: Study) -> None:
    """Refuse families, backends, metrics and encoders that the services do not have.

    Raises:
        NotFoundError: The message lists what there is.
        InvalidInputError: A backend does not know a generator's strategy or parameter.
    """
    design = study.design
    families = {family.name for family in study.clients.classifier.list_families()}
    measurable = study.clients.evaluator.list_metrics()
    metrics = {metric.name for metric in measurable.metrics if metric.kind == "fidelity"}
    _check_backends(study)
    asked = {design.family_behind(name) for name in design.all_families}
    _refuse_unknown("classifier family", asked, families)
    _refuse_unknown("fidelity metric", set(design.fidelity_metrics), metrics)
    if design.encoder and not is_checkpoint(design.encoder):
        _refuse_unknown("encoder", {design.encoder}, set(measurable.encoders))


def _check_backends(study: Study) -> None:
    """Refuse backends that the service lacks, and strategies and parameters that they do not know."""
    infos = {info.name: info for info in study.clients.generator.list_backends()}
    for generator in study.design.generators:
        behind, where = study.profile.behind(generator), f"generators.{generator.name}"
        _refuse_unknown("backend", {behind.backend}, set(infos))
        info = infos[behind.backend]
        if generator.strategy not in info.strategies:
            raise InvalidInputError(
                f"generator {generator.name!r}: backend {info.name!r} cannot follow strategy {generator.strategy!r}; "
                f"it knows: {', '.join(info.strategies)}",
                field=f"{where}.strategy",
            )
        known = sorted(json.loads(info.parameters_json).get("properties", {}))
        for name in sorted(set(behind.parameters) - set(known)):
            raise InvalidInputError(
                f"generator {generator.name!r}: backend {info.name!r} has no parameter {name!r}; it knows: "
                f"{', '.join(known)}{did_you_mean(name, known)}",
                field=f"{where}.parameters.{name}",
            )


def _refuse_unknown(kind: str, wanted: set[str], known: set[str]) -> None:
    for name in sorted(wanted - known):
        raise NotFoundError(
            f"no {kind} {name!r}; there are: {', '.join(sorted(known))}{did_you_mean(name, sorted(known))}",
            name=name,
        )


def algorithms(clients: Clients) -> dict[str, str]:
    """Ask the services for the versions of their backends and families."""
    found = {backend.name: backend.version for backend in clients.generator.list_backends()}
    found |= {family.name: family.version for family in clients.classifier.list_families()}
    return found


@lru_cache(maxsize=96)
def _corpus(root: str, sha256: str) -> Corpus:
    return Store(root).get_corpus(sha256)
