"""The evaluator on the wire: decode, call, encode."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

import grpc

from services.domain.artifact import ArtifactRef
from services.domain.errors import InvalidInputError
from services.evaluator.encoding import comparison_from_json
from services.evaluator.leakage import REAL
from services.evaluator.leakage.planning import listed_pairs, require_names, require_quantile
from services.evaluator.listing import list_measurables
from services.evaluator.messages import (
    contrast_payload,
    contrast_result_to_proto,
    digests,
    measurables_to_proto,
    measurements_to_proto,
    optional_digest,
    ruler_payload,
    rules_payload,
    worth_to_proto,
)
from services.evaluator.plain_values import plain
from services.rpc.convert import artifact_from_proto, artifact_to_proto, source_from_proto
from services.rpc.sharing import shared_stream
from services.rpc.streaming import progress_stream
from services.rpc.workers import WorkerPool
from services.storage.store import Store
from synthtrial.evaluator.v1 import (
    correlation_pb2,
    decomposition_pb2,
    evaluator_pb2,
    evaluator_pb2_grpc,
    leakage_pb2,
    mix_curve_pb2,
)
from synthtrial.study.v1 import corpus_pb2, measurement_pb2

NAME = evaluator_pb2.DESCRIPTOR.services_by_name["EvaluatorService"].full_name
SCORE_JOB = "services.evaluator.scoring:score"
COMPARE_JOB = "services.evaluator.comparison:compare"
FIDELITY_JOB = "services.evaluator.fidelity.measuring:measure"
EMBED_JOB = "services.features.store:embed"
CORRELATE_JOB = "services.evaluator.inline_jobs:correlate_gains"
MIX_JOB = "services.evaluator.inline_jobs:analyse_mix_curve"
DECOMPOSE_JOB = "services.evaluator.inline_jobs:decompose"
LEAKAGE_JOB = "services.evaluator.leakage.stored:audit"


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
        # In a thread: the first listing imports every metric's module.
        return measurables_to_proto(await asyncio.to_thread(list_measurables))

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
            "predictions": digests(request.predictions, "predictions"),
            "metrics": list(request.metrics),
        }
        answer = await self._workers.run(SCORE_JOB, payload)
        return evaluator_pb2.ScorePredictionsResponse(results=measurements_to_proto(answer["results"]))

    async def CompareArms(
        self, request: evaluator_pb2.CompareArmsRequest, context: object
    ) -> evaluator_pb2.CompareArmsResponse:
        payload = {
            "store": str(self._store.root),
            "truth": await self._source(request, "truth", required=True),
            "contrasts": [
                contrast_payload(one, f"contrasts[{i}]") for i, one in enumerate(request.contrasts)
            ],
            "rulers": [ruler_payload(one, f"rulers[{i}]") for i, one in enumerate(request.rulers)],
            "rules": rules_payload(request),
        }
        comparison = comparison_from_json(await self._workers.run(COMPARE_JOB, payload))
        return evaluator_pb2.CompareArmsResponse(
            contrasts=[contrast_result_to_proto(result) for result in comparison.contrasts],
            worths=[worth_to_proto(result) for result in comparison.worths],
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
            "embeddings": digests(request.embeddings, "embeddings"),
            "metrics": list(request.metrics),
            "ceiling": await self._source(request, "ceiling"),
            "ceiling_embeddings": optional_digest(request, "ceiling_embeddings"),
            "seed": request.seed,
            "threads": self._workers.threads,
        }
        if (payload["ceiling"] is None) != (payload["ceiling_embeddings"] is None):
            raise InvalidInputError("a ceiling takes both a corpus and its embeddings", field="ceiling")
        async for kind, content in progress_stream(self._workers, FIDELITY_JOB, payload):
            if kind == "progress":
                yield evaluator_pb2.MeasureFidelityResponse(progress=_progress(content))
            else:
                yield evaluator_pb2.MeasureFidelityResponse(results=measurements_to_proto(content["results"]))

    async def CorrelateGains(
        self, request: correlation_pb2.CorrelateGainsRequest, context: object
    ) -> correlation_pb2.CorrelateGainsResponse:
        answer = await self._workers.run(CORRELATE_JOB, plain(request))
        return correlation_pb2.CorrelateGainsResponse(**answer)

    async def AnalyseMix(
        self, request: mix_curve_pb2.AnalyseMixRequest, context: object
    ) -> mix_curve_pb2.AnalyseMixResponse:
        return mix_curve_pb2.AnalyseMixResponse(**await self._workers.run(MIX_JOB, plain(request)))

    async def DecomposeGain(
        self, request: decomposition_pb2.DecomposeGainRequest, context: object
    ) -> decomposition_pb2.DecomposeGainResponse:
        answer = await self._workers.run(DECOMPOSE_JOB, plain(request))
        return decomposition_pb2.DecomposeGainResponse(**answer)

    async def AuditLeakage(
        self, request: leakage_pb2.AuditLeakageRequest, context: object
    ) -> AsyncIterator[leakage_pb2.AuditLeakageResponse]:
        _require_auditable(request)
        maximum_pairs = listed_pairs(request.maximum_pairs, len(request.corpora))
        corpora = await self._audited(request.corpora)
        async for step in self._embed_missing(request, corpora):
            yield leakage_pb2.AuditLeakageResponse(progress=step)
        payload = {
            "store": str(self._store.root),
            "corpora": corpora,
            "calibrated_on": request.calibrated_on or REAL,
            "quantile": _quantile(request),
            "maximum_pairs": maximum_pairs,
        }
        async for kind, content in progress_stream(self._workers, LEAKAGE_JOB, payload):
            if kind == "progress":
                yield leakage_pb2.AuditLeakageResponse(progress=_progress(content))
            else:
                yield leakage_pb2.AuditLeakageResponse(**content)

    async def _audited(self, corpora: Sequence[leakage_pb2.AuditedCorpus]) -> list[dict[str, Any]]:
        sources = await self._sources([one.corpus for one in corpora], "corpora", ".corpus")
        return [
            {
                "name": one.name,
                "corpus": sha256,
                "embeddings": optional_digest(one, "embeddings", f"corpora[{i}].embeddings"),
            }
            for i, (one, sha256) in enumerate(zip(corpora, sources, strict=True))
        ]

    async def _embed_missing(
        self, request: leakage_pb2.AuditLeakageRequest, corpora: Sequence[dict[str, Any]]
    ) -> AsyncIterator[measurement_pb2.Progress]:
        """Fill in what corpora lack of embeddings, where the request names an encoder."""
        missing = [one for one in corpora if one["embeddings"] is None]
        if not request.encoder or not missing:
            return
        payload = {
            "store": str(self._store.root),
            "corpora": [one["corpus"] for one in missing],
            "encoder": request.encoder,
            "fit_on": await self._source(request, "fit_on"),
        }
        async for kind, content in shared_stream(self._workers, EMBED_JOB, payload):
            if kind == "progress":
                yield _progress(content)
            else:
                for one, embeddings in zip(missing, content["embeddings"], strict=True):
                    one["embeddings"] = embeddings["sha256"]

    async def _source(self, request: Any, field: str, *, required: bool = False) -> str | None:
        """Return the digest of a corpus, storing it first where it came inline."""
        if not required and not request.HasField(field):
            return None
        source = getattr(request, field)
        return (await asyncio.to_thread(source_from_proto, source, self._store, field)).sha256

    async def _sources(
        self, sources: Iterable[corpus_pb2.CorpusSource], field: str, inside: str = ""
    ) -> list[str]:
        """Return the digests of corpora; `inside` is where each stands in its element of the field."""
        found = [
            await asyncio.to_thread(source_from_proto, source, self._store, f"{field}[{i}]{inside}")
            for i, source in enumerate(sources)
        ]
        if not found:
            raise InvalidInputError(f"{field} is empty; name at least one corpus", field=field)
        return [reference.sha256 for reference in found]


def _require_auditable(request: leakage_pb2.AuditLeakageRequest) -> None:
    """Refuse what the audit would refuse, before anything is stored or embedded."""
    embedded = request.encoder or any(one.HasField("embeddings") for one in request.corpora)
    # Without embeddings nothing is calibrated, and nobody has to be called real.
    calibrated_on = request.calibrated_on or (REAL if embedded else "")
    require_names([one.name for one in request.corpora], calibrated_on)
    require_quantile(_quantile(request))
    if request.HasField("fit_on") and not request.encoder:
        raise InvalidInputError("training texts are for an encoder, and none is named", field="fit_on")


def _quantile(request: leakage_pb2.AuditLeakageRequest) -> float | None:
    return request.quantile if request.HasField("quantile") else None


def _progress(content: Mapping[str, Any]) -> measurement_pb2.Progress:
    return measurement_pb2.Progress(
        activity=content["activity"], done_count=content["done_count"], total_count=content["total_count"]
    )


def _stored(value: Mapping[str, Any]) -> ArtifactRef:
    return ArtifactRef.stored(value["sha256"], value["row_count"])
