"""What a flow or a notebook calls to measure and to compare."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.errors import StudyError
from services.domain.measurement import Measurement
from services.evaluator.correlation.planning import CorrelationAnalysis, CorrelationSpec
from services.evaluator.decomposition import CellScores, GainDecomposition
from services.evaluator.leakage.planning import LeakageReport, LeakageSpec
from services.evaluator.messages import (
    artifacts_to_proto,
    audited_to_proto,
    contrast_result_from_proto,
    contrast_to_proto,
    measurables_from_proto,
    measurements_from_proto,
    ruler_to_proto,
    worth_from_proto,
)
from services.evaluator.mix_curve import MixCurve, MixScores
from services.evaluator.plain_values import built, plain
from services.evaluator.planning import (
    ArmComparison,
    ContrastSpec,
    FidelitySpec,
    Measurables,
    Progress,
    RulerSpec,
)
from services.rpc.channel import channel
from services.rpc.convert import artifact_to_proto, artifacts_from_proto, source_to_proto
from services.rpc.limits import CALL_SECONDS
from services.rpc.patience import invoke_patiently, last_answer
from synthtrial.evaluator.v1 import (
    correlation_pb2,
    decomposition_pb2,
    evaluator_pb2,
    evaluator_pb2_grpc,
    leakage_pb2,
    mix_curve_pb2,
)
from synthtrial.study.v1 import measurement_pb2

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
        return measurables_from_proto(
            invoke_patiently(self._stub().ListMetrics, request, self._address, CALL_SECONDS)
        )

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
                truth=source_to_proto(truth), predictions=artifacts_to_proto(some), metrics=metrics
            )
            answer = invoke_patiently(self._stub().ScorePredictions, request, self._address)
            results += measurements_from_proto(answer.results)
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
            contrasts=[contrast_to_proto(spec) for spec in contrasts],
            rulers=[ruler_to_proto(spec) for spec in rulers],
            margin=margin,
            minimum_test_families=minimum_test_families,
            minimum_replicates=minimum_replicates,
            training_sets_are_given=training_sets_are_given,
        )
        answer = invoke_patiently(self._stub().CompareArms, request, self._address)
        results = (
            contrast_result_from_proto(*pair) for pair in zip(answer.contrasts, contrasts, strict=True)
        )
        return ArmComparison(tuple(results), tuple(worth_from_proto(worth) for worth in answer.worths))

    def measure_fidelity(self, spec: FidelitySpec, on_progress: OnProgress | None = None) -> Measurements:
        """Measure corpora against one reference, in one pass; no metrics means all."""
        request = evaluator_pb2.MeasureFidelityRequest(
            reference=source_to_proto(spec.reference),
            reference_embeddings=artifact_to_proto(spec.reference_embeddings),
            corpora=[source_to_proto(corpus) for corpus in spec.corpora],
            embeddings=artifacts_to_proto(spec.embeddings),
            metrics=spec.metrics,
            ceiling=None if spec.ceiling is None else source_to_proto(spec.ceiling),
            ceiling_embeddings=(
                None if spec.ceiling_embeddings is None else artifact_to_proto(spec.ceiling_embeddings)
            ),
            seed=spec.seed,
        )
        return tuple(
            measurements_from_proto(self._last(self._stub().MeasureFidelity, request, on_progress).results)
        )

    def correlate_gains(self, spec: CorrelationSpec) -> CorrelationAnalysis:
        """Correlate fidelity with gain within strategies, and compare two regimes.

        One call is one family: Holm runs over the inversions of its metrics.
        """
        request = correlation_pb2.CorrelateGainsRequest(**asdict(spec))
        answer = invoke_patiently(self._stub().CorrelateGains, request, self._address)
        return built(CorrelationAnalysis, plain(answer))

    def analyse_mix(self, shares: Sequence[MixScores]) -> MixCurve:
        """Find the shares of real rows that are not shown worse than the best."""
        request = mix_curve_pb2.AnalyseMixRequest(
            shares=[mix_curve_pb2.MixScores(**asdict(one)) for one in shares]
        )
        return built(MixCurve, plain(invoke_patiently(self._stub().AnalyseMix, request, self._address)))

    def decompose_gain(self, cells: Sequence[CellScores]) -> GainDecomposition:
        """Split a raw gain into its parts and contrast the arms behind it."""
        request = decomposition_pb2.DecomposeGainRequest(
            cells=[decomposition_pb2.CellScores(**asdict(one)) for one in cells]
        )
        answer = invoke_patiently(self._stub().DecomposeGain, request, self._address)
        return built(GainDecomposition, plain(answer))

    def audit_leakage(self, spec: LeakageSpec, on_progress: OnProgress | None = None) -> LeakageReport:
        """Count what every two corpora share that they should not, and list the most similar pairs.

        What is stored is not computed again: neither embeddings nor the audit.
        """
        request = leakage_pb2.AuditLeakageRequest(
            corpora=[audited_to_proto(one) for one in spec.corpora],
            encoder=spec.encoder,
            fit_on=None if spec.fit_on is None else source_to_proto(spec.fit_on),
            calibrated_on=spec.calibrated_on,
            quantile=spec.quantile,
            maximum_pairs=spec.maximum_pairs,
        )
        return built(LeakageReport, plain(self._last(self._stub().AuditLeakage, request, on_progress)))

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
