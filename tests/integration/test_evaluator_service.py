"""The evaluator over the wire: worked answers, and every bad input with its field."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError, NotFoundError, StudyError
from services.domain.task import Task, TaskType
from services.evaluator.client import EvaluatorClient
from services.evaluator.planning import ContrastSpec, FidelitySpec, Progress, RulerSpec, Rung
from services.evaluator.service import register
from services.storage.store import Store

TASK = Task(TaskType.MULTI_LABEL, ("lift", "ramp", "brake"))
TOPICS = Task(TaskType.SINGLE_LABEL, ("lift", "ramp", "brake"))
DOCUMENTS, REPLICATES = 260, 5


@dataclass(frozen=True)
class Study:
    """A test corpus in a store, and a way to put arms of planted skill beside it."""

    store: Store
    client: EvaluatorClient
    truth: ArtifactRef
    indicator: np.ndarray

    def arm(self, skill: float, seed: int, replicates: int = REPLICATES) -> tuple[ArtifactRef, ...]:
        return tuple(self.predictions(skill, np.random.default_rng([seed, r])) for r in range(replicates))

    def predictions(self, skill: float, rng: np.random.Generator, **metadata: str) -> ArtifactRef:
        noise = rng.normal(size=self.indicator.shape)
        scores = 1 / (1 + np.exp(-(skill * (2.0 * self.indicator - 1.0) + noise)))
        arrays: dict[str, np.ndarray] = {
            "test_scores": scores.astype(np.float32),
            "oof_truth": self.indicator[:50].astype(np.uint8),
        }
        return self.store.put_arrays(arrays, {"threshold": "0.5", "test": self.truth.sha256, **metadata})

    def compare(self, *contrasts: ContrastSpec) -> tuple[str, ...]:
        compared = self.client.compare_arms(self.truth, contrasts, (), 0.02)
        return tuple(result.verdict for result in compared.contrasts)


def _corpus(task: Task, count: int = DOCUMENTS) -> Corpus:
    rng = np.random.default_rng(11)
    documents = []
    for i in range(count):
        size = 1 if task.type is TaskType.SINGLE_LABEL else int(rng.integers(1, 3))
        labels = tuple(rng.choice(task.labels, size, replace=False))
        documents.append(Document(f"d{i}", f"a device number {i} with a {labels[0]}", labels, f"family {i}"))
    return Corpus(task, tuple(documents))


@pytest.fixture
def study(service_address: Callable[..., str], store: Store) -> Study:
    corpus = _corpus(TASK)
    return Study(
        store, EvaluatorClient(service_address(register)), store.put_corpus(corpus), corpus.indicator
    )


def test_scores_come_under_every_threshold_rule_with_their_counts(study: Study) -> None:
    metrics = ("micro_f1", "macro_f1", "lrap")
    ((tuned, half, *_, ranking),) = study.client.score_predictions(study.truth, study.arm(2.0, 1, 1), metrics)
    assert [tuned.threshold_rule, half.threshold_rule, ranking.threshold_rule] == [
        "tuned",
        "0.5",
        "threshold_free",
    ]
    counts = tuned.estimates
    expected = 2 * counts["true_positives"] / (counts["predicted"] + counts["positives"])
    assert tuned.value == pytest.approx(expected)
    assert counts["positives"] == study.indicator.sum()
    assert ranking.estimates["tie_rate"] == 0.0


def test_scores_are_filed_once_and_found_again(study: Study) -> None:
    predictions = study.arm(1.0, 2, 3)
    first = study.client.score_predictions(study.truth, predictions, ("per_label_f1",))
    assert first == study.client.score_predictions(study.truth, predictions, ("per_label_f1",))
    assert [m.metric for m in first[0][:3]] == [f"per_label_f1/{label}" for label in TASK.labels]


def test_a_single_label_task_is_scored_at_the_best_label(study: Study) -> None:
    corpus = _corpus(TOPICS)
    predictions = study.store.put_arrays(
        {"test_scores": corpus.indicator.astype(np.float32)}, {"threshold": ""}
    )
    ((score,),) = study.client.score_predictions(corpus, (predictions,), ("micro_f1",))
    assert (score.value, score.threshold_rule) == (1.0, "argmax")


def test_predictions_without_a_threshold_are_undefined_at_it_with_the_reason(study: Study) -> None:
    rng = np.random.default_rng(1)
    silent = study.predictions(1.0, rng, threshold="", threshold_undefined="nothing was out of fold")
    ((tuned, half),) = study.client.score_predictions(study.truth, (silent,), ("micro_f1",))
    assert tuned.value is None and "nothing was out of fold" in tuned.undefined_reason
    assert half.value is not None
    compared = study.client.compare_arms(
        study.truth, (ContrastSpec("c", (silent,), (silent,), True),), (RulerSpec("r", (silent,), ()),), 0.02
    )
    assert (compared.contrasts[0].effect, compared.contrasts[0].verdict) == (None, "not tested")
    assert "nothing was out of fold" in compared.contrasts[0].note
    assert compared.contrasts[0].standard_error is None
    assert compared.contrasts[0].degrees_of_freedom is None


def test_no_error_at_all_is_zero_and_not_undefined(study: Study) -> None:
    same = study.predictions(0.9, np.random.default_rng(1))
    found = study.client.compare_arms(study.truth, (ContrastSpec("c", (same,), (same,), True),), (), 0.02)
    assert found.contrasts[0].standard_error == 0.0
    assert found.contrasts[0].degrees_of_freedom is None


def test_a_better_arm_is_better_and_its_twin_is_not(study: Study) -> None:
    control = study.arm(1.0, 3)
    better = ContrastSpec("better", study.arm(1.6, 4), control, True)
    worse = ContrastSpec("worse", control, study.arm(1.6, 4), True)
    same = ContrastSpec("same", study.arm(1.0, 5), control, True)
    shown = ContrastSpec("shown", study.arm(1.6, 4), control, False, "lrap")
    assert study.compare(better, worse, same, shown) == ("better", "worse", "inconclusive", "exploratory")


def test_every_field_of_a_contrast_survives_the_wire(study: Study) -> None:
    spec = ContrastSpec("c", study.arm(1.6, 4), study.arm(1.0, 3), True)
    (result,) = study.client.compare_arms(study.truth, (spec,), (), 0.02).contrasts
    assert result.effect is not None and result.interval95 is not None and result.interval90 is not None
    assert result.treatment_mean is not None and result.control_mean is not None
    assert result.effect == pytest.approx(result.treatment_mean - result.control_mean)
    assert result.interval95.low < result.interval90.low < result.effect < result.interval90.high
    assert (result.replicate_count, result.test_family_count) == (REPLICATES, DOCUMENTS)
    assert result.positive_count == study.indicator.sum()
    assert result.mde is not None and result.document_variance is not None and result.declared
    assert (result.conditional, result.note) == (False, "")


def test_one_run_is_read_conditionally_where_that_is_asked(study: Study) -> None:
    spec = ContrastSpec("file", study.arm(1.6, 4, 1), study.arm(1.0, 3, 1), True)
    plain = study.client.compare_arms(study.truth, (spec,), (), 0.02).contrasts[0]
    fixed = study.client.compare_arms(study.truth, (spec,), (), 0.02, training_sets_are_given=True).contrasts[
        0
    ]
    assert (plain.verdict, fixed.verdict, fixed.conditional) == ("not tested", "better", True)
    assert "conditional on these training sets" in fixed.note


def test_worth_is_read_off_a_ruler(study: Study) -> None:
    rungs = tuple(
        Rung(x, study.arm(skill, 6 + i)) for i, (x, skill) in enumerate([(0, 0.5), (80, 1.0), (160, 1.5)])
    )
    ruler = RulerSpec("w", study.arm(1.0, 20), rungs)
    (worth,) = study.client.compare_arms(study.truth, (), (ruler,), 0.02).worths
    assert worth.worth is not None and worth.low is not None and worth.high is not None
    assert 40 < worth.low < worth.worth < worth.high < 120
    assert (worth.cap, worth.note) == (160.0, "")


def test_values_per_query_are_compared_over_query_families(study: Study) -> None:
    rng = np.random.default_rng(9)
    defined = np.arange(DOCUMENTS) % 2 == 0

    def run(lead: float) -> ArtifactRef:
        values = np.where(defined, rng.normal(0.4 + lead, 0.1, DOCUMENTS), 0.0)
        return study.store.put_arrays({"ndcg@10": values, "defined": defined}, {})

    treatment, control = (tuple(run(lead) for _ in range(REPLICATES)) for lead in (0.1, 0.0))
    spec = ContrastSpec("retrieval", treatment, control, declared=True, score="ndcg@10")
    (result,) = study.client.compare_arms(study.truth, (spec,), (), 0.02).contrasts
    assert (result.verdict, result.positive_count) == ("better", DOCUMENTS // 2)


def test_embedding_then_fidelity_over_the_wire(study: Study) -> None:
    corpora = (study.store.put_corpus(_corpus(TASK, 120)), study.truth)
    steps: list[Progress] = []
    embeddings = study.client.embed(corpora, "lsa", steps.append, fit_on=study.truth)
    spec = FidelitySpec(study.truth, embeddings[1], corpora[:1], embeddings[:1], ("mmd2",), seed=4)
    ((measured,),) = study.client.measure_fidelity(spec, steps.append)
    assert measured.metric == "mmd2" and measured.value is not None
    assert {step.activity for step in steps} >= {"corpora measured"}


def test_metrics_and_encoders_are_listed(study: Study) -> None:
    listed = study.client.list_metrics()
    kinds = {metric.name: metric.kind for metric in listed.metrics}
    assert kinds["micro_f1"] == "predictions" and kinds["mmd2"] == "fidelity"
    assert "lsa" in listed.encoders
    assert all(metric.description for metric in listed.metrics)


def _bad(study: Study) -> dict[str, tuple[Callable[[], object], type[StudyError], str, str]]:
    """Return per bad input: the call, the error, its field and what the message says."""
    good, rng = study.arm(1.0, 3), np.random.default_rng(2)
    spec = ContrastSpec("c", good, good, True)
    nan = np.full(study.indicator.shape, 0.2, dtype=np.float32)
    nan[3, 1] = np.nan
    broken = study.store.put_arrays({"test_scores": nan}, {"threshold": "0.5"})
    short = study.store.put_arrays({"test_scores": nan[:40] * 0}, {"threshold": "0.5"})
    foreign = study.predictions(1.0, rng, test="f" * 64)
    fidelity = FidelitySpec(study.truth, good[0], (study.truth,), (), ("mmd2",))

    def compare(one: ContrastSpec, *more: ContrastSpec, margin: float = 0.02) -> Callable[[], object]:
        return lambda: study.client.compare_arms(study.truth, (one, *more), (), margin)

    def score(reference: ArtifactRef, metric: str = "micro_f1") -> Callable[[], object]:
        return lambda: study.client.score_predictions(study.truth, (reference,), (metric,))

    invalid = InvalidInputError
    return {
        "unpaired replicates": (
            compare(replace(spec, control=good[:4])),
            invalid,
            "contrasts[0]",
            "pairs 5 replicates with 4",
        ),
        "no replicates": (
            compare(replace(spec, treatment=(), control=())),
            invalid,
            "contrasts[0]",
            "pairs 0 replicates with 0",
        ),
        "nan on one side": (
            compare(replace(spec, treatment=(broken, *good[1:]))),
            invalid,
            "predictions",
            "1 of 780 scores",
        ),
        "nan in predictions": (score(broken), invalid, "predictions", "not finite"),
        "truth of another length": (score(short), invalid, "predictions", "40 documents by 3 labels"),
        "predictions of another test": (score(foreign), invalid, "truth", "made for corpus ffffffffffff"),
        "contrast over another test": (
            compare(replace(spec, control=(foreign, *good[1:]))),
            invalid,
            "truth",
            "made for corpus",
        ),
        "unknown metric": (score(good[0], "f2"), NotFoundError, "metrics", "micro_f1"),
        "unknown score": (
            compare(replace(spec, score="ndcg@7")),
            invalid,
            "contrasts.score",
            "holds oof_truth, test_scores",
        ),
        "score without a contrast": (
            compare(replace(spec, score="macro_f1")),
            invalid,
            "contrasts[0].score",
            "points only",
        ),
        "declared at a half": (
            compare(replace(spec, score="micro_f1@0.5")),
            invalid,
            "contrasts[0].declared",
            "never declared",
        ),
        "one name twice": (compare(spec, spec), invalid, "contrasts.name", "'c'"),
        "no margin": (compare(spec, margin=0.0), invalid, "margin", "between 0 and 1"),
        "too many claims": (
            compare(*[replace(spec, name=str(i)) for i in range(13)]),
            invalid,
            "contrasts.declared",
            "at most 12",
        ),
        "a corpus for predictions": (
            lambda: study.client.score_predictions(study.truth, (study.truth,), ()),
            invalid,
            "predictions",
            "holds no arrays",
        ),
        "predictions for a truth": (
            lambda: study.client.score_predictions(good[0], good, ()),
            invalid,
            "truth",
            "holds no corpus",
        ),
        "an artifact nobody stored": (score(ArtifactRef.stored("0" * 64)), NotFoundError, "", ""),
        "no corpus to embed": (lambda: study.client.embed((), "lsa"), invalid, "corpora", "at least one"),
        "embeddings that are none": (
            lambda: study.client.measure_fidelity(fidelity),
            invalid,
            "reference_embeddings",
            "",
        ),
    }


def test_every_bad_input_names_its_field_and_says_what_would_do(study: Study) -> None:
    for name, (call, kind, field, words) in _bad(study).items():
        with pytest.raises(StudyError) as caught:
            call()
        assert isinstance(caught.value, kind), name
        assert field in ("", caught.value.metadata.get("field")), (name, caught.value.metadata)
        assert words in caught.value.message, (name, caught.value.message)
