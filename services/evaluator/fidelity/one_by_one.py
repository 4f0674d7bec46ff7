"""Metrics that measure corpora one by one and share no estimate between them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from services.evaluator.fidelity import Estimate, Sample, Settings

Needs = tuple[str, ...]


class PerCorpus(ABC):
    """A fidelity metric that measures each corpus by itself against the reference.

    Attributes:
        needs: Which of `texts` and `labels` both samples must have; without
            them the metric is undefined.
        weighs: Whether documents may have weights; otherwise the metric is
            undefined for a sample that has some.
        unrelated_is_far: Whether documents made up to have nothing in common are
            a ceiling; otherwise only a given corpus is.
    """

    description: str
    version: int
    lower_is_better: bool
    minimum_count: int
    depends_on_count: bool
    has_scale: bool
    needs: ClassVar[Needs] = ()
    weighs: ClassVar[bool] = True
    unrelated_is_far: ClassVar[bool] = True

    def settings(self, reference: Sample) -> Settings:
        """Return nothing: corpora share no estimate."""
        return {}

    def __call__(
        self,
        reference: Sample,
        corpora: Sequence[Sample],
        settings: Settings,
        rngs: Sequence[np.random.Generator],
    ) -> tuple[Estimate, ...]:
        """Measure every corpus, or say why it cannot be."""
        return tuple(
            self._measured(reference, corpus, settings, rng)
            for corpus, rng in zip(corpora, rngs, strict=True)
        )

    @abstractmethod
    def measure(
        self, reference: Sample, corpus: Sample, settings: Settings, rng: np.random.Generator
    ) -> Estimate:
        """Measure a corpus that has what the metric needs."""

    def _measured(
        self, reference: Sample, corpus: Sample, settings: Settings, rng: np.random.Generator
    ) -> Estimate:
        reason = refusal(reference, corpus, self.minimum_count, self.needs, weighs=self.weighs)
        if reason:
            return Estimate(None, len(corpus), undefined_reason=reason)
        return self.measure(reference, corpus, settings, rng)


class OneByOne(PerCorpus):
    """One whose value follows from the two samples, without settings and without draws."""

    def measure(
        self, reference: Sample, corpus: Sample, settings: Settings, rng: np.random.Generator
    ) -> Estimate:
        """Measure a corpus that has what the metric needs."""
        return self.estimate(reference, corpus)

    @abstractmethod
    def estimate(self, reference: Sample, corpus: Sample) -> Estimate:
        """Measure a corpus that has what the metric needs."""


def refusal(
    reference: Sample, corpus: Sample, minimum: int, needs: Needs = (), *, weighs: bool = True
) -> str:
    """Say why two samples cannot be compared, or nothing."""
    for name, sample in (("the reference", reference), ("the corpus", corpus)):
        if len(sample) < minimum:
            return f"{name} has {len(sample)} documents, fewer than {minimum}"
        for need in needs:
            if getattr(sample, need) is None:
                return f"{name} came without {need}"
        if not weighs and sample.weights is not None:
            return f"{name} has weights, and here every document counts once"
    return ""


def needed(metric: object) -> Needs:
    """Return what a metric reads beside vectors; nothing for one that does not say."""
    needs: Needs = getattr(metric, "needs", ())
    return needs


def made_up_ceiling(metric: object) -> bool:
    """Return whether unrelated documents are a metric's ceiling; they are for one that does not say."""
    return bool(getattr(metric, "unrelated_is_far", True))
