"""Every registered fidelity metric keeps the promise of the protocol."""

from dataclasses import replace

import numpy as np
import pytest

from services.evaluator.fidelity import METRICS, Estimate, FidelityMetric, Sample

LABELS = 4
# 240 documents a side: some metrics take 200 families.
WORDS = np.array([f"{a}{b}{c}" for a in "bdfgkl" for b in "aeiou" for c in "mnrst"])


def drawn(seed: int, count: int, shift: float = 0.0, favourite: int = 0, words: int = 12) -> Sample:
    """Documents around a direction, of words and labels around a favourite."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, 10)) + shift * np.eye(10)[0]
    weights = 1 / (1 + (np.arange(len(WORDS)) - 25 * favourite) % len(WORDS))
    spoken = rng.choice(WORDS, (count, words), p=weights / weights.sum())
    labels = np.eye(LABELS, dtype=bool)[(favourite + rng.geometric(0.6, count)) % LABELS]
    return Sample(
        (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32),
        np.arange(count),
        texts=tuple(" ".join(some[: 8 + i % 5]) for i, some in enumerate(spoken)),
        labels=labels,
    )


REFERENCE, NEAR, FAR = drawn(1, 260, 2.0), drawn(2, 240, 2.0), drawn(3, 240, -2.0, favourite=2, words=9)
COLLAPSED = replace(NEAR.take(np.repeat(np.arange(80), 3)), families=np.arange(240))


@pytest.fixture(params=METRICS.names())
def metric(request: pytest.FixtureRequest) -> FidelityMetric:
    return METRICS.get(request.param)


def measured(metric: FidelityMetric, *corpora: Sample) -> tuple[Estimate, ...]:
    rngs = [np.random.default_rng(7) for _ in corpora]
    return metric(REFERENCE, corpora, metric.settings(REFERENCE), rngs)


def test_value_or_reason_and_never_nan(metric: FidelityMetric) -> None:
    for found in measured(metric, NEAR, FAR, COLLAPSED):
        assert (found.value is None) == bool(found.undefined_reason)
        assert found.value is None or np.isfinite(found.value)
        assert found.sample_count > 0


def test_interval_holds_the_value(metric: FidelityMetric) -> None:
    for found in measured(metric, NEAR, FAR):
        if found.interval is not None and found.value is not None:
            assert found.interval.low <= found.value <= found.interval.high


def test_same_stream_gives_the_same_value(metric: FidelityMetric) -> None:
    assert measured(metric, NEAR) == measured(metric, NEAR)


def test_corpus_is_measured_as_if_alone(metric: FidelityMetric) -> None:
    assert measured(metric, NEAR, FAR)[1] == measured(metric, FAR)[0]


def test_prefers_the_corpus_nearer_to_real_text(metric: FidelityMetric) -> None:
    # A metric that compares with the reference tells FAR; one that looks at the corpus alone, COLLAPSED.
    near, far, collapsed = (found.value for found in measured(metric, NEAR, FAR, COLLAPSED))
    assert near is not None and far is not None and collapsed is not None
    worse = max(far, collapsed) if metric.lower_is_better else min(far, collapsed)
    assert near < worse if metric.lower_is_better else near > worse


def test_smallest_corpus_is_enough(metric: FidelityMetric) -> None:
    (found,) = measured(metric, drawn(4, metric.minimum_count))
    assert found.value is not None or found.undefined_reason


def test_weights_count_or_are_refused(metric: FidelityMetric) -> None:
    (plain,), (even,) = measured(metric, NEAR), measured(metric, replace(NEAR, weights=np.ones(len(NEAR))))
    assert even.value == pytest.approx(plain.value) or "weights" in even.undefined_reason
    reference, corpus = (replace(s, weights=np.resize([1.0, 2.0, 3.0], len(s))) for s in (REFERENCE, NEAR))
    (found,) = metric(reference, [corpus], metric.settings(reference), [np.random.default_rng(7)])
    assert found.value != plain.value
    assert found.value is not None or "weights" in found.undefined_reason


def test_documents_known_by_their_vectors_alone_have_a_value_or_a_reason(metric: FidelityMetric) -> None:
    (found,) = measured(metric, Sample(NEAR.embeddings, NEAR.families))
    assert (found.value is None) == bool(found.undefined_reason)


def test_metric_says_what_it_is(metric: FidelityMetric) -> None:
    assert metric.description.endswith(".")
    assert metric.version >= 1
