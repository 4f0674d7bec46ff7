"""An audit from checked corpora to numbers, by services in the caller's own process."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from flows.auditing.corpora import Corpora
from flows.auditing.distances import measure_distances
from flows.auditing.options import AuditOptions
from flows.auditing.readings import NO_ROWS, NO_RULER, Compared, compare, reading, unread, worth_of
from flows.auditing.rounds import FileDraws, draw_file, plan_rounds
from flows.auditing.screening import Screened, screen_file
from flows.auditing.training import Trained, Trainer
from flows.endpoints import IN_PROCESS, running
from flows.report.inputs import THIS_FILE, THIS_GENERATOR, AuditedFile, Distance, Reading
from flows.report.wording import ON_REAL_DOCUMENTS
from services.classifier.client import ClassifierClient
from services.evaluator.client import EvaluatorClient
from services.storage.store import Store

# inference.md, section 3: a replicate holds more than half of the real documents there are.
REDRAWN = f"{ON_REAL_DOCUMENTS}: every replicate redraws two thirds of them, so that replicates share many"
SERVICES = ("classifier", "evaluator")

# Activity, how much is done, of how much; a total of 0 is not known.
Advance = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """Files as the report shows them, and seconds by stage."""

    files: tuple[AuditedFile, ...]
    wall_seconds: Mapping[str, float]


@dataclass(slots=True)
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def lap(self, stage: str) -> None:
        now = time.monotonic()
        self.seconds[stage] = round(now - self.started, 2)
        self.started = now


def measure(corpora: Corpora, options: AuditOptions, store_root: Path, advance: Advance) -> Measured:
    """Screen, train, compare and measure.

    Raises:
        InvalidInputError: Nothing of a file remains after screening, or there are fewer families
            than folds.
    """
    clock = _Clock()
    rounds = plan_rounds(corpora.real, corpora.test is not None, options)
    advance("screening", 0, 0)
    screened = {file.name: screen_file(file, corpora) for file in corpora.files}
    accepted = {name: found.accepted for name, found in screened.items()}
    draws = {name: draw_file(c, corpora.real, rounds, options) for name, c in accepted.items()}
    clock.lap("screening")
    advance("starting services", 0, 0)
    with running(dict.fromkeys(SERVICES, IN_PROCESS), store_root) as addresses:
        store = Store(store_root)
        evaluator = EvaluatorClient(addresses["evaluator"])
        trainer = Trainer(ClassifierClient(addresses["classifier"]), store, options)
        trained = trainer.train(
            corpora.real,
            corpora.test,
            accepted,
            draws,
            rounds,
            lambda done, total: advance("training", done, total),
        )
        clock.lap("training")
        advance("comparing", 0, 0)
        compared = compare(evaluator, trained.truth, trained.predictions, draws, options)
        clock.lap("comparing")
        advance("distances", 0, 0)
        distances = measure_distances(evaluator, store, accepted, corpora.real, corpora.tested, options)
        clock.lap("distances")
    files = tuple(
        _audited(found, corpora, draws[name], trained, compared, distances[name])
        for name, found in screened.items()
    )
    return Measured(files, clock.seconds)


def _audited(
    found: Screened,
    corpora: Corpora,
    draws: FileDraws,
    trained: Trained,
    compared: Compared,
    distances: tuple[Distance, ...],
) -> AuditedFile:
    worth = compared.worths.get(found.name)
    return AuditedFile(
        name=found.name,
        readings=_readings(found, corpora, draws, trained, compared),
        worth=worth_of(worth, draws.kept) if worth else None,
        worth_note="" if worth else (NO_RULER if draws.count else NO_ROWS),
        distances=distances,
        requested=found.requested,
        accepted=len(found.accepted),
        rejected=found.count("rejected"),
        failed=found.count("failed"),
        reasons=found.reasons,
        examples=found.examples,
    )


def _readings(
    found: Screened, corpora: Corpora, draws: FileDraws, trained: Trained, compared: Compared
) -> tuple[Reading, ...]:
    families = len(set(corpora.tested.families))
    share = trained.without_donor.get(found.name, 0.0)
    remark = f"{share:.0%} of its rows have no real document of the same label set" if share >= 0.005 else ""
    fixed = reading(THIS_FILE, compared.this_file[found.name], len(corpora.real), len(found.accepted), remark)
    twins = fixed.replicate_count
    fixed = replace(fixed, replicate_count=1, note=f"{fixed.note}; the control is the mean of {twins} twins")
    redrawn = compared.this_generator.get(found.name)
    if redrawn is None:
        return fixed, unread(THIS_GENERATOR, families, draws.kept, NO_ROWS)
    remarks = [REDRAWN] if redrawn.effect is not None else []
    remarks += [remark] if remark else []
    return fixed, reading(THIS_GENERATOR, redrawn, draws.kept, draws.count, "; ".join(remarks))
