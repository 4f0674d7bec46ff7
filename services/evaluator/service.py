"""The evaluator on the wire: decode, call, encode."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import grpc

from services.domain.artifact import ArtifactRef
from services.domain.errors import InvalidInputError
from services.domain.measurement import Interval, Measurement
from services.evaluator import scoring
from services.evaluator.encoding import comparison_from_json, measurement_from_json
from services.evaluator.fidelity import METRICS
from services.evaluator.planning import ContrastResult, Rules, WorthResult
from services.features.encoders import ENCODERS
from services.rpc.convert import (
    artifact_from_proto,
    artifact_to_proto,
    artifacts_from_proto,
    interval_to_proto,
    measurement_to_proto,
    source_from_proto,
)
from services.rpc.sharing import shared_stream
from services.rpc.streaming import progress_stream
from services.rpc.workers import WorkerPool
from services.storage.store import Store
from synthtrial.evaluator.v1 import evaluator_pb2, evaluator_pb2_grpc
from synthtrial.study.v1 import artifact_pb2, corpus_pb2, measurement_pb2

NAME = evaluator_pb2.DESCRIPTOR.services_by_name["EvaluatorService"].full_name
SCORE_JOB = "services.evaluator.scoring:score"
COMPARE_JOB = "services.evaluator.comparison:compare"
FIDELITY_JOB = "services.evaluator.fidelity.measuring:measure"
EMBED_JOB = "services.features.store:embed"
DEFAULTS = Rules()


def register(server: grpc.aio.Server, store: Store, workers: WorkerPool) -> str:
    """Add the evaluator to a server and return its name."""
    evaluator_pb2_grpc.add_EvaluatorServiceServicer_to_server(EvaluatorServicer(store, workers), server)
    return NAME


class EvaluatorServicer(evaluator_pb2_grpc.EvaluatorServiceServicer):
    """Measures in worker processes."""

    def __init__(self, store: Store, workers: WorkerPool) -> None:
        self._store, self._workers = store, workers

    async def ListMetrics(
        self, request: evaluator_pb2.ListMetricsRequest, context: object
    ) -> evaluator_pb2.ListMetricsResponse:
        # The first listing imports every metric's module.
        return await asyncio.to_thread(_listing)

    async def Embed(
        self, request: evaluator_pb2.EmbedRequest, context: object
    ) -> AsyncIterator[evaluator_pb2.EmbedResponse]:
        payload = {
            "store": str(self._store.root),
            "corpora": await self._sources(request.corpora, "corpora"),
            "encoder": request.encoder,
            "fit_on": await self._source(request, "fit_on"),
        }
        async for kind, content in shared_stream(self._workers, EMBED_JOB, payload):
            if kind == "progress":
                yield evaluator_pb2.EmbedResponse(progress=_progress(content))
            else:
                yield evaluator_pb2.EmbedResponse(
                    embeddings=[artifact_to_proto(_stored(one)) for one in content["embeddings"]],
                    encoder_revision=content["encoder_revision"],
                )

    async def ScorePredictions(
        self, request: evaluator_pb2.ScorePredictionsRequest, context: object
    ) -> evaluator_pb2.ScorePredictionsResponse:
        payload = {
            "store": str(self._store.root),
            "truth": await self._source(request, "truth", required=True),
            "predictions": _digests(request.predictions, "predictions"),
            "metrics": list(request.metrics),
        }
        answer = await self._workers.run(SCORE_JOB, payload)
        return evaluator_pb2.ScorePredictionsResponse(results=_lists(answer["results"]))

    async def CompareArms(
        self, request: evaluator_pb2.CompareArmsRequest, context: object
    ) -> evaluator_pb2.CompareArmsResponse:
        payload = {
            "store": str(self._store.root),
            "truth": await self._source(request, "truth", required=True),
            "contrasts": [_contrast(one, f"contrasts[{i}]") for i, one in enumerate(request.contrasts)],
            "rulers": [_ruler(one, f"rulers[{i}]") for i, one in enumerate(request.rulers)],
            "rules": _rules(request),
        }
        comparison = comparison_from_json(await self._workers.run(COMPARE_JOB, payload))
        return evaluator_pb2.CompareArmsResponse(
            contrasts=[_contrast_to_proto(result) for result in comparison.contrasts],
            worths=[_worth_to_proto(result) for result in comparison.worths],
        )

    async def MeasureFidelity(
        self, request: evaluator_pb2.MeasureFidelityRequest, context: object
    ) -> AsyncIterator[evaluator_pb2.MeasureFidelityResponse]:
        payload = {
            "store": str(self._store.root),
            "reference": await self._source(request, "reference", required=True),
            "reference_embeddings": artifact_from_proto(
                request.reference_embeddings, "reference_embeddings"
            ).sha256,
            "corpora": await self._sources(request.corpora, "corpora"),
            "embeddings": _digests(request.embeddings, "embeddings"),
            "metrics": list(request.metrics),
            "ceiling": await self._source(request, "ceiling"),
            "ceiling_embeddings": _optional_digest(request, "ceiling_embeddings"),
            "seed": request.seed,
            "threads": self._workers.threads,
        }
        if (payload["ceiling"] is None) != (payload["ceiling_embeddings"] is None):
            raise InvalidInputError("a ceiling takes both a corpus and its embeddings", field="ceiling")
        async for kind, content in progress_stream(self._workers, FIDELITY_JOB, payload):
            if kind == "progress":
                yield evaluator_pb2.MeasureFidelityResponse(progress=_progress(content))
            else:
                yield evaluator_pb2.MeasureFidelityResponse(results=_lists(content["results"]))

    async def _source(self, request: Any, field: str, *, required: bool = False) -> str | None:
        """Return the digest of a corpus, storing it first where it came inline."""
        if not required and not request.HasField(field):
            return None
        source = getattr(request, field)
        return (await asyncio.to_thread(source_from_proto, source, self._store, field)).sha256

    async def _sources(self, sources: Iterable[corpus_pb2.CorpusSource], field: str) -> list[str]:
        found = [
            await asyncio.to_thread(source_from_proto, source, self._store, f"{field}[{i}]")
            for i, source in enumerate(sources)
        ]
        if not found:
            raise InvalidInputError(f"{field} is empty; name at least one corpus", field=field)
        return [reference.sha256 for reference in found]


def _listing() -> evaluator_pb2.ListMetricsResponse:
    found = [
        evaluator_pb2.Metric(
            name=name, lower_is_better=False, description=text, minimum_count=1, kind="predictions"
        )
        for name, text in scoring.DESCRIPTIONS.items()
    ]
    for name in METRICS.names():
        metric = METRICS.get(name)
        found.append(
            evaluator_pb2.Metric(
                name=name,
                lower_is_better=metric.lower_is_better,
                description=metric.description,
                minimum_count=metric.minimum_count,
                kind="fidelity",
            )
        )
    ordered = sorted(found, key=lambda metric: metric.name)
    return evaluator_pb2.ListMetricsResponse(metrics=ordered, encoders=ENCODERS.names())


def _rules(request: evaluator_pb2.CompareArmsRequest) -> dict[str, Any]:
    """Return the parts of the rules that a request may set."""
    return {
        "margin": request.margin,
        "minimum_families": request.minimum_test_families or DEFAULTS.minimum_families,
        "minimum_replicates": request.minimum_replicates or DEFAULTS.minimum_replicates,
        "fixed_real": request.training_sets_are_given,
    }


def _contrast(message: evaluator_pb2.Contrast, where: str) -> dict[str, Any]:
    return {
        "name": message.name,
        "treatment": _digests(message.treatment, f"{where}.treatment"),
        "control": _digests(message.control, f"{where}.control"),
        "declared": message.declared,
        "score": message.score,
    }


def _ruler(message: evaluator_pb2.Ruler, where: str) -> dict[str, Any]:
    return {
        "name": message.name,
        "treatment": _digests(message.treatment, f"{where}.treatment"),
        "rungs": [
            {
                "real_documents": rung.real_documents,
                "predictions": _digests(rung.predictions, f"{where}.rungs[{j}].predictions"),
            }
            for j, rung in enumerate(message.rungs)
        ],
    }


def _contrast_to_proto(result: ContrastResult) -> evaluator_pb2.ContrastResult:
    return evaluator_pb2.ContrastResult(
        name=result.name,
        effect=result.effect,
        interval95=_interval(result.interval95),
        interval90=_interval(result.interval90),
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


def _worth_to_proto(result: WorthResult) -> evaluator_pb2.Worth:
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


def _interval(interval: Interval | None) -> measurement_pb2.Interval | None:
    return None if interval is None else interval_to_proto(interval)


def _lists(results: Iterable[Iterable[Any]]) -> list[evaluator_pb2.MeasurementList]:
    return [
        evaluator_pb2.MeasurementList(measurements=[measurement_to_proto(_measurement(one)) for one in row])
        for row in results
    ]


def _measurement(value: Measurement | Mapping[str, Any]) -> Measurement:
    return value if isinstance(value, Measurement) else measurement_from_json(value)


def _progress(content: Mapping[str, Any]) -> measurement_pb2.Progress:
    return measurement_pb2.Progress(
        activity=content["activity"], done_count=content["done_count"], total_count=content["total_count"]
    )


def _digests(messages: Iterable[artifact_pb2.ArtifactRef], field: str) -> list[str]:
    return [reference.sha256 for reference in artifacts_from_proto(messages, field)]


def _optional_digest(request: Any, field: str) -> str | None:
    return artifact_from_proto(getattr(request, field), field).sha256 if request.HasField(field) else None


def _stored(value: Mapping[str, Any]) -> ArtifactRef:
    return ArtifactRef.stored(value["sha256"], value["row_count"])
