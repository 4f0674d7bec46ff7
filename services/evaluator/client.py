"""What a flow or a notebook calls to measure and to compare."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.errors import StudyError
from services.domain.measurement import Interval, Measurement
from services.evaluator.planning import (
    ArmComparison,
    ContrastResult,
    ContrastSpec,
    FidelitySpec,
    Measurables,
    MetricInfo,
    Progress,
    RulerSpec,
    WorthResult,
)
from services.rpc.channel import channel
from services.rpc.convert import (
    artifact_to_proto,
    artifacts_from_proto,
    interval_from_proto,
    measurement_from_proto,
    source_to_proto,
)
from services.rpc.limits import CALL_SECONDS
from services.rpc.patience import invoke_patiently, last_answer
from synthtrial.evaluator.v1 import evaluator_pb2, evaluator_pb2_grpc
from synthtrial.study.v1 import artifact_pb2, measurement_pb2

OnProgress = Callable[[Progress], None]
Measurements = tuple[tuple[Measurement, ...], ...]

# Per-label scores of this many predictions stay far below the limit of a message.
PREDICTIONS_A_CALL = 50


class EvaluatorClient:
    """Calls one evaluator service.

    Every method raises the StudyError that the service raised, or
    BackendUnavailableError where it cannot be reached; all outlive its restart.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def list_metrics(self) -> Measurables:
        """Return the metrics and encoders there are."""
        request = evaluator_pb2.ListMetricsRequest()
        answer = invoke_patiently(self._stub().ListMetrics, request, self._address, CALL_SECONDS)
        metrics = tuple(
            MetricInfo(m.name, m.lower_is_better, m.description, m.minimum_count, m.kind)
            for m in answer.metrics
        )
        return Measurables(metrics, tuple(answer.encoders))

    def embed(
        self,
        corpora: Sequence[ArtifactRef | Corpus],
        encoder: str,
        on_progress: OnProgress | None = None,
        fit_on: ArtifactRef | Corpus | None = None,
    ) -> tuple[ArtifactRef, ...]:
        """Embed corpora, one matrix each; what is stored is not computed again.

        Args:
            fit_on: Training texts of an encoder that is fitted.
        """
        request = evaluator_pb2.EmbedRequest(
            corpora=[source_to_proto(corpus) for corpus in corpora],
            encoder=encoder,
            fit_on=None if fit_on is None else source_to_proto(fit_on),
        )
        last = self._last(self._stub().Embed, request, on_progress)
        return artifacts_from_proto(last.embeddings, "embeddings")

    def score_predictions(
        self, truth: ArtifactRef | Corpus, predictions: Sequence[ArtifactRef], metrics: Sequence[str]
    ) -> Measurements:
        """Score sets of predictions against the truth; no metrics means all."""
        results: list[tuple[Measurement, ...]] = []
        for start in range(0, len(predictions), PREDICTIONS_A_CALL):
            some = predictions[start : start + PREDICTIONS_A_CALL]
            request = evaluator_pb2.ScorePredictionsRequest(
                truth=source_to_proto(truth), predictions=_artifacts(some), metrics=metrics
            )
            answer = invoke_patiently(self._stub().ScorePredictions, request, self._address)
            results += _measurements(answer.results)
        return tuple(results)

    def compare_arms(
        self,
        truth: ArtifactRef | Corpus,
        contrasts: Sequence[ContrastSpec],
        rulers: Sequence[RulerSpec],
        margin: float,
        *,
        minimum_test_families: int = 0,
        minimum_replicates: int = 0,
        training_sets_are_given: bool = False,
    ) -> ArmComparison:
        """Compare arms with their controls and read gains off rulers.

        One call is one family of claims: Holm runs over its declared contrasts, Benjamini and
        Hochberg over the others.

        Args:
            minimum_test_families: Fewest for a verdict; 0 for 200. With 100, tests below 200
                are judged and called small.
            minimum_replicates: Fewest for a verdict; 0 for 5.
            training_sets_are_given: They are what the claim is about: intervals are over test
                families alone, the wording is conditional, and no replicates are asked for.
        """
        request = evaluator_pb2.CompareArmsRequest(
            truth=source_to_proto(truth),
            contrasts=[_contrast(spec) for spec in contrasts],
            rulers=[_ruler(spec) for spec in rulers],
            margin=margin,
            minimum_test_families=minimum_test_families,
            minimum_replicates=minimum_replicates,
            training_sets_are_given=training_sets_are_given,
        )
        answer = invoke_patiently(self._stub().CompareArms, request, self._address)
        results = (_contrast_result(*pair) for pair in zip(answer.contrasts, contrasts, strict=True))
        return ArmComparison(tuple(results), tuple(_worth(worth) for worth in answer.worths))

    def measure_fidelity(self, spec: FidelitySpec, on_progress: OnProgress | None = None) -> Measurements:
        """Measure corpora against one reference, in one pass; no metrics means all."""
        request = evaluator_pb2.MeasureFidelityRequest(
            reference=source_to_proto(spec.reference),
            reference_embeddings=artifact_to_proto(spec.reference_embeddings),
            corpora=[source_to_proto(corpus) for corpus in spec.corpora],
            embeddings=_artifacts(spec.embeddings),
            metrics=spec.metrics,
            ceiling=None if spec.ceiling is None else source_to_proto(spec.ceiling),
            ceiling_embeddings=(
                None if spec.ceiling_embeddings is None else artifact_to_proto(spec.ceiling_embeddings)
            ),
            seed=spec.seed,
        )
        return tuple(_measurements(self._last(self._stub().MeasureFidelity, request, on_progress).results))

    def _stub(self) -> evaluator_pb2_grpc.EvaluatorServiceStub:
        return evaluator_pb2_grpc.EvaluatorServiceStub(channel(self._address))

    def _last(self, method: Any, request: Any, on_progress: OnProgress | None) -> Any:
        """Return the last message of a stream, handing on the progress before it."""

        def hand_on(step: measurement_pb2.Progress) -> None:
            if on_progress is not None:
                on_progress(Progress(step.activity, step.done_count, step.total_count))

        last = last_answer(method, request, self._address, hand_on)
        if last is None:
            raise StudyError(f"{self._address} ended its answer without a result")
        return last


def _contrast(spec: ContrastSpec) -> evaluator_pb2.Contrast:
    return evaluator_pb2.Contrast(
        name=spec.name,
        treatment=_artifacts(spec.treatment),
        control=_artifacts(spec.control),
        declared=spec.declared,
        score=spec.score,
    )


def _ruler(spec: RulerSpec) -> evaluator_pb2.Ruler:
    rungs = [
        evaluator_pb2.Rung(real_documents=rung.real_documents, predictions=_artifacts(rung.predictions))
        for rung in spec.rungs
    ]
    return evaluator_pb2.Ruler(name=spec.name, treatment=_artifacts(spec.treatment), rungs=rungs)


def _contrast_result(message: evaluator_pb2.ContrastResult, spec: ContrastSpec) -> ContrastResult:
    return ContrastResult(
        name=message.name,
        effect=_optional(message, "effect"),
        interval95=_interval(message, "interval95"),
        interval90=_interval(message, "interval90"),
        standard_error=_optional(message, "standard_error"),
        degrees_of_freedom=_optional(message, "degrees_of_freedom"),
        p_value=_optional(message, "p_value"),
        adjusted_p_value=_optional(message, "adjusted_p_value"),
        verdict=message.verdict,
        mde=_optional(message, "minimum_detectable_effect"),
        replicate_count=message.replicate_count,
        test_family_count=message.test_family_count,
        positive_count=message.positive_count,
        conditional=message.conditional,
        note=message.note,
        treatment_mean=_optional(message, "treatment_mean"),
        control_mean=_optional(message, "control_mean"),
        declared=spec.declared,
        score=spec.score,
        replicate_variance=_optional(message, "replicate_variance"),
        document_variance=_optional(message, "document_variance"),
    )


def _worth(message: evaluator_pb2.Worth) -> WorthResult:
    return WorthResult(
        name=message.name,
        worth=_optional(message, "real_documents"),
        low=_optional(message, "low"),
        high=_optional(message, "high"),
        less_than_none=message.less_than_none,
        more_than_cap=message.more_than_cap,
        cap=message.cap,
        note=message.note,
    )


def _optional(message: Any, field: str) -> float | None:
    return float(getattr(message, field)) if message.HasField(field) else None


def _interval(message: Any, field: str) -> Interval | None:
    return interval_from_proto(getattr(message, field)) if message.HasField(field) else None


def _measurements(lists: Iterable[evaluator_pb2.MeasurementList]) -> list[tuple[Measurement, ...]]:
    return [tuple(measurement_from_proto(one) for one in row.measurements) for row in lists]


def _artifacts(references: Iterable[ArtifactRef]) -> list[artifact_pb2.ArtifactRef]:
    return [artifact_to_proto(reference) for reference in references]
