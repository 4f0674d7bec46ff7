"""The training plans of an audit, by the study's own conditions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from flows.auditing.options import AuditOptions
from flows.auditing.replicates import Rows, Split
from flows.auditing.rounds import Draw, FileDraws, Round
from flows.conditions import CONDITIONS, Scene, Segment
from flows.report.inputs import THIS_FILE, THIS_GENERATOR
from services.domain.corpus import Corpus
from services.domain.digest import spec_digest
from services.domain.plan import TrainingPlan
from services.domain.seeds import stream
from services.storage.store import Store

TREATMENT = "synthesis"
CONTROL = "row_twin"


class ArmKey(NamedTuple):
    """One model of a round.

    `new_real` copies of the control are replaced by new real documents. `draw` numbers the
    replicate of "this generator" or the twin of "this file".
    """

    file: str
    reading: str
    condition: str
    new_real: int
    draw: int


@dataclass(frozen=True, slots=True)
class Arm:
    """A plan and the corpora it names."""

    key: ArmKey
    plan: TrainingPlan
    synthetic: str  # SHA-256 of the written documents; "" where the plan uses none of them
    without_donor_share: float


@dataclass(frozen=True, slots=True)
class ArmComposer:
    """Composes the arms of one round; corpora are stored where plans need a name for them."""

    store: Store
    real: Segment
    one: Round
    options: AuditOptions

    def arms(self, name: str, synthetic: Corpus, draws: FileDraws) -> Iterator[Arm]:
        """Yield every arm of a file in this round."""
        draw = draws.draws[self.one.number]
        yield from self._this_file(name, synthetic.take(draw.allowed))
        if draws.count:
            yield from self._this_generator(name, synthetic, draw, draws)

    def _this_file(self, name: str, written: Corpus) -> Iterator[Arm]:
        scene = self._scene(written, self.one.train, np.empty(0, dtype=np.int64))
        yield self._arm(scene, ArmKey(name, THIS_FILE, TREATMENT, 0, 0))
        for twin in range(self.options.twins):
            yield self._arm(scene, ArmKey(name, THIS_FILE, CONTROL, 0, twin))

    def _this_generator(self, name: str, synthetic: Corpus, draw: Draw, draws: FileDraws) -> Iterator[Arm]:
        for replicate, (split, hand) in enumerate(zip(draw.splits, draw.hands, strict=True)):
            scene = self._replicate(synthetic.take(np.sort(hand[: draws.count])), split)
            yield self._arm(scene, ArmKey(name, THIS_GENERATOR, TREATMENT, 0, replicate))
            for new_real in (0, *draws.rungs):
                yield self._arm(scene, ArmKey(name, THIS_GENERATOR, CONTROL, new_real, replicate))

    def _replicate(self, written: Corpus, split: Split) -> Scene:
        return self._scene(written, split.kept, split.left_out)

    def _scene(self, written: Corpus, real_rows: Rows, new_rows: Rows) -> Scene:
        segment = Segment(self.store.put_corpus(written).sha256, written)
        return Scene(self.real, real_rows, new_rows, segment, len(written))

    def _arm(self, scene: Scene, key: ArmKey) -> Arm:
        # The ruler's rungs share the stream of their twin, so that they keep the same copies.
        # And the content names the file, so that renaming it changes nothing.
        content = spec_digest(list(scene.written().corpus.texts))
        named = key._replace(new_real=0, file=content)
        rng = stream(self.options.seed, "audit", *named, self.one.number)
        settings = {"new_real": key.new_real} if key.new_real else {}
        made = CONDITIONS.get(key.condition).compose(scene, rng, settings)
        written = scene.written().sha256 if key.condition == TREATMENT else ""
        return Arm(key, made.plan, written, made.estimates.get("without_donor_share", 0.0))
