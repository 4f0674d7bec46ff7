"""The evaluator's words on the wire: what its client writes its service reads, and back.

Requests become the payloads of worker jobs, in which artifacts are named by digest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from services.domain.artifact import ArtifactRef
from services.domain.measurement import Interval, Measurement
from services.evaluator.encoding import measurement_from_json
from services.evaluator.leakage.planning import AuditedCorpus
from services.evaluator.plain_values import built, plain
from services.evaluator.planning import (
    ContrastResult,
    ContrastSpec,
    Measurables,
    MetricInfo,
    RulerSpec,
    Rules,
    WorthResult,
)
from services.rpc.convert import (
    artifact_from_proto,
    artifact_to_proto,
    artifacts_from_proto,
    interval_from_proto,
    interval_to_proto,
    measurement_from_proto,
    measurement_to_proto,
    source_to_proto,
)
from synthtrial.evaluator.v1 import evaluator_pb2, leakage_pb2
from synthtrial.study.v1 import artifact_pb2, measurement_pb2

DEFAULTS = Rules()


def artifacts_to_proto(references: Iterable[ArtifactRef]) -> list[artifact_pb2.ArtifactRef]:
    """Return references as messages."""
    return [artifact_to_proto(reference) for reference in references]


def digests(messages: Iterable[artifact_pb2.ArtifactRef], field: str) -> list[str]:
    """Return the digests in some references; errors name their index."""
    return [reference.sha256 for reference in artifacts_from_proto(messages, field)]


def optional_digest(request: Any, field: str, where: str = "") -> str | None:
    """Return the digest in a field of a message, None where it is not set.

    Args:
        where: The field's path in the request, where it is not its name.
    """
    if not request.HasField(field):
        return None
    return artifact_from_proto(getattr(request, field), where or field).sha256


def measurables_to_proto(measurables: Measurables) -> evaluator_pb2.ListMetricsResponse:
    """Return metrics and encoders as a message."""
    return evaluator_pb2.ListMetricsResponse(
        metrics=[evaluator_pb2.Metric(**asdict(one)) for one in measurables.metrics],
        encoders=measurables.encoders,
    )


def measurables_from_proto(message: evaluator_pb2.ListMetricsResponse) -> Measurables:
    """Return the metrics and encoders in a message."""
    return Measurables(
        tuple(built(MetricInfo, plain(one)) for one in message.metrics), tuple(message.encoders)
    )


def measurements_to_proto(
    results: Iterable[Iterable[Measurement | Mapping[str, Any]]],
) -> list[evaluator_pb2.MeasurementList]:
    """Return rows of measurements, or of their JSON values, as messages."""
    return [
        evaluator_pb2.MeasurementList(measurements=[measurement_to_proto(_measurement(one)) for one in row])
        for row in results
    ]


def measurements_from_proto(
    lists: Iterable[evaluator_pb2.MeasurementList],
) -> list[tuple[Measurement, ...]]:
    """Return the rows in some messages."""
    return [tuple(measurement_from_proto(one) for one in row.measurements) for row in lists]


def audited_to_proto(audited: AuditedCorpus) -> leakage_pb2.AuditedCorpus:
    """Return a part of a study as a message."""
    return leakage_pb2.AuditedCorpus(
        name=audited.name,
        corpus=source_to_proto(audited.corpus),
        embeddings=None if audited.embeddings is None else artifact_to_proto(audited.embeddings),
    )


def contrast_to_proto(spec: ContrastSpec) -> evaluator_pb2.Contrast:
    """Return what is to be contrasted as a message."""
    return evaluator_pb2.Contrast(
        name=spec.name,
        treatment=artifacts_to_proto(spec.treatment),
        control=artifacts_to_proto(spec.control),
        declared=spec.declared,
        score=spec.score,
    )


def contrast_payload(message: evaluator_pb2.Contrast, where: str) -> dict[str, Any]:
    """Return the contrast in a message; `where` is its path in the request."""
    return {
        "name": message.name,
        "treatment": digests(message.treatment, f"{where}.treatment"),
        "control": digests(message.control, f"{where}.control"),
        "declared": message.declared,
        "score": message.score,
    }


def ruler_to_proto(spec: RulerSpec) -> evaluator_pb2.Ruler:
    """Return a ruler as a message."""
    rungs = [
        evaluator_pb2.Rung(
            real_documents=rung.real_documents, predictions=artifacts_to_proto(rung.predictions)
        )
        for rung in spec.rungs
    ]
    return evaluator_pb2.Ruler(name=spec.name, treatment=artifacts_to_proto(spec.treatment), rungs=rungs)


def ruler_payload(message: evaluator_pb2.Ruler, where: str) -> dict[str, Any]:
    """Return the ruler in a message; `where` is its path in the request."""
    return {
        "name": message.name,
        "treatment": digests(message.treatment, f"{where}.treatment"),
        "rungs": [
            {
                "real_documents": rung.real_documents,
                "predictions": digests(rung.predictions, f"{where}.rungs[{j}].predictions"),
            }
            for j, rung in enumerate(message.rungs)
        ],
    }


def rules_payload(request: evaluator_pb2.CompareArmsRequest) -> dict[str, Any]:
    """Return the parts of the rules that a request may set."""
    return {
        "margin": request.margin,
        "minimum_families": request.minimum_test_families or DEFAULTS.minimum_families,
        "minimum_replicates": request.minimum_replicates or DEFAULTS.minimum_replicates,
        "fixed_real": request.training_sets_are_given,
    }


def contrast_result_to_proto(result: ContrastResult) -> evaluator_pb2.ContrastResult:
    """Return what a contrast found as a message."""
    return evaluator_pb2.ContrastResult(
        name=result.name,
        effect=result.effect,
        interval95=_interval_to_proto(result.interval95),
        interval90=_interval_to_proto(result.interval90),
        standard_error=result.standard_error,
        degrees_of_freedom=result.degrees_of_freedom,
        p_value=result.p_value,
        adjusted_p_value=result.adjusted_p_value,
        verdict=result.verdict,
        minimum_detectable_effect=result.mde,
        replicate_count=result.replicate_count,
        test_family_count=result.test_family_count,
        positive_count=result.positive_count,
        conditional=result.conditional,
        note=result.note,
        treatment_mean=result.treatment_mean,
        control_mean=result.control_mean,
        replicate_variance=result.replicate_variance,
        document_variance=result.document_variance,
    )


def contrast_result_from_proto(message: evaluator_pb2.ContrastResult, spec: ContrastSpec) -> ContrastResult:
    """Return what the contrast of a spec found."""
    return ContrastResult(
        name=message.name,
        effect=_optional(message, "effect"),
        interval95=_interval_from_proto(message, "interval95"),
        interval90=_interval_from_proto(message, "interval90"),
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


def worth_to_proto(result: WorthResult) -> evaluator_pb2.Worth:
    """Return a worth as a message."""
    return evaluator_pb2.Worth(
        name=result.name,
        real_documents=result.worth,
        low=result.low,
        high=result.high,
        less_than_none=result.less_than_none,
        more_than_cap=result.more_than_cap,
        cap=result.cap,
        note=result.note,
    )


def worth_from_proto(message: evaluator_pb2.Worth) -> WorthResult:
    """Return the worth in a message."""
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


def _interval_to_proto(interval: Interval | None) -> measurement_pb2.Interval | None:
    return None if interval is None else interval_to_proto(interval)


def _interval_from_proto(message: Any, field: str) -> Interval | None:
    return interval_from_proto(getattr(message, field)) if message.HasField(field) else None


def _measurement(value: Measurement | Mapping[str, Any]) -> Measurement:
    return value if isinstance(value, Measurement) else measurement_from_json(value)
