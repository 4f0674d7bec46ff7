"""Every arm of every round, trained by the classifier service in one run per round."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flows.auditing.arms import Arm, ArmComposer, ArmKey
from flows.auditing.crossfit import FoldScores, merge_scores, merged_threshold
from flows.auditing.options import AuditOptions
from flows.auditing.rounds import FileDraws, Round
from flows.conditions import Segment
from services.classifier.client import ClassifierClient
from services.classifier.specification import TrainingSpec
from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.seeds import derived_seed
from services.storage.store import Store

Advance = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """Predictions of all arms over the same test corpus.

    Attributes:
        truth: What was predicted: the test corpus, or all real documents.
        without_donor: By file, the largest share of synthetic rows without a real document of
            the same label set to stand in for them.
    """

    truth: ArtifactRef
    predictions: Mapping[ArmKey, ArtifactRef]
    without_donor: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Trainer:
    """Trains arms; what the store holds already is not trained again."""

    classifier: ClassifierClient
    store: Store
    options: AuditOptions

    def train(
        self,
        real: Corpus,
        test: Corpus | None,
        files: Mapping[str, Corpus],
        draws: Mapping[str, FileDraws],
        rounds: Sequence[Round],
        advance: Advance,
    ) -> Trained:
        """Train all arms in all rounds and put the rounds' predictions together."""
        segment = Segment(self.store.put_corpus(real).sha256, real)
        truth = self.store.put_corpus(test) if test else ArtifactRef.stored(segment.sha256, len(real))
        found = []
        shares: dict[str, float] = {}
        for one in rounds:
            composer = ArmComposer(self.store, segment, one, self.options)
            arms = [arm for name, corpus in files.items() for arm in composer.arms(name, corpus, draws[name])]
            for arm in arms:
                shares[arm.key.file] = max(shares.get(arm.key.file, 0.0), arm.without_donor_share)
            tested = self.store.put_corpus(real.take(one.tested)) if len(one.tested) else truth
            results = self._run(segment, arms, tested, _counted(advance, one.number, len(rounds)))
            found.append({arm.key: result for arm, result in zip(arms, results, strict=True)})
        if test is not None:
            return Trained(truth, found[0], shares)
        return Trained(truth, dict(self._merged(real, truth, rounds, found)), shares)

    def _run(
        self, real: Segment, arms: Sequence[Arm], test: ArtifactRef, advance: Advance
    ) -> tuple[ArtifactRef, ...]:
        names = dict.fromkeys([real.sha256, *(segment for arm in arms for segment in arm.plan.segments)])
        spec = TrainingSpec(
            task=real.corpus.task,
            family=self.options.family,
            parameters=dict(self.options.parameters),
            segments=tuple(ArtifactRef.stored(name) for name in names),
            plans=tuple(arm.plan for arm in arms),
            test=test,
            embeddings={},
            encoder=self.options.encoder,
            folds=self.options.threshold_folds(real.corpus.task.type),
            seed=derived_seed(self.options.seed, "audit", "training"),
        )
        return self.classifier.train(spec, on_progress=lambda run: advance(run.done, run.total))

    def _merged(
        self,
        real: Corpus,
        truth: ArtifactRef,
        rounds: Sequence[Round],
        found: Sequence[Mapping[ArmKey, ArtifactRef]],
    ) -> Iterator[tuple[ArmKey, ArtifactRef]]:
        for key in found[0]:
            parts = [self._fold_scores(one, results[key]) for one, results in zip(rounds, found, strict=True)]
            threshold, undefined = merged_threshold(parts)
            metadata = {
                "threshold": "" if threshold is None else repr(threshold),
                "threshold_undefined": undefined,
                "test": truth.sha256,
                "family": self.options.family,
            }
            yield key, self.store.put_arrays({"test_scores": merge_scores(parts, len(real))}, metadata)

    def _fold_scores(self, one: Round, result: ArtifactRef) -> FoldScores:
        arrays, metadata = self.store.get_arrays(result)
        scores = np.asarray(arrays["test_scores"], dtype=np.float32)
        # Empty where out-of-fold scores decide nothing, and in single-label tasks.
        text = metadata["threshold"]
        return FoldScores(one.tested, scores, float(text) if text else None, metadata["threshold_undefined"])


def _counted(advance: Advance, number: int, rounds: int) -> Advance:
    """Return progress over all rounds from progress of one."""

    def report(done: int, total: int) -> None:
        advance(number * total + done, rounds * total)

    return report
