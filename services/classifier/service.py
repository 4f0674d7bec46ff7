"""The classifier on the wire: decode, call, encode."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp

from services.classifier.families import FAMILIES
from services.classifier.models import KeptModel, Predictions, get_model, list_models
from services.classifier.parameters import parameters_schema
from services.classifier.runs import RunState, TrainingRun
from services.classifier.specification import TrainingSpec
from services.classifier.supervision import Supervisor
from services.domain.errors import InvalidInputError
from services.domain.plan import LOG_LOSS, Part, Stage, TrainingPlan
from services.rpc.convert import (
    artifact_from_proto,
    artifact_to_proto,
    source_from_proto,
    task_from_proto,
    task_to_proto,
)
from services.rpc.workers import WorkerPool
from services.storage.store import Store
from synthtrial.classifier.v1 import classifier_pb2, classifier_pb2_grpc
from synthtrial.study.v1 import measurement_pb2

NAME = classifier_pb2.DESCRIPTOR.services_by_name["ClassifierService"].full_name
PREDICT_JOB = "services.classifier.models:predict"

STATES = {
    RunState.QUEUED: classifier_pb2.TRAINING_STATE_QUEUED,
    RunState.RUNNING: classifier_pb2.TRAINING_STATE_RUNNING,
    RunState.SUCCEEDED: classifier_pb2.TRAINING_STATE_SUCCEEDED,
    RunState.FAILED: classifier_pb2.TRAINING_STATE_FAILED,
    RunState.CANCELLED: classifier_pb2.TRAINING_STATE_CANCELLED,
}


def register(server: grpc.aio.Server, store: Store, workers: WorkerPool) -> str:
    """Add the classifier to a server and return its name."""
    servicer = ClassifierServicer(store, workers)
    classifier_pb2_grpc.add_ClassifierServiceServicer_to_server(servicer, server)
    return NAME


class ClassifierServicer(classifier_pb2_grpc.ClassifierServiceServicer):
    """Training runs of this process, and predictions with kept models."""

    def __init__(self, store: Store, workers: WorkerPool) -> None:
        self._store, self._workers = store, workers
        self._supervisor = Supervisor(store, workers)

    async def ListFamilies(
        self, request: classifier_pb2.ListFamiliesRequest, context: object
    ) -> classifier_pb2.ListFamiliesResponse:
        return classifier_pb2.ListFamiliesResponse(families=[_family(name) for name in FAMILIES.names()])

    async def CreateTrainingRun(
        self, request: classifier_pb2.CreateTrainingRunRequest, context: object
    ) -> classifier_pb2.CreateTrainingRunResponse:
        spec = await asyncio.to_thread(spec_from_proto, request.spec, self._store)
        return classifier_pb2.CreateTrainingRunResponse(run=run_to_proto(await self._supervisor.create(spec)))

    async def GetTrainingRun(
        self, request: classifier_pb2.GetTrainingRunRequest, context: object
    ) -> classifier_pb2.GetTrainingRunResponse:
        return classifier_pb2.GetTrainingRunResponse(run=run_to_proto(self._supervisor.get(request.id)))

    async def WatchTrainingRun(
        self, request: classifier_pb2.WatchTrainingRunRequest, context: object
    ) -> AsyncIterator[classifier_pb2.WatchTrainingRunResponse]:
        async for run in self._supervisor.watch(request.id):
            yield classifier_pb2.WatchTrainingRunResponse(run=run_to_proto(run))

    async def CancelTrainingRun(
        self, request: classifier_pb2.CancelTrainingRunRequest, context: object
    ) -> classifier_pb2.CancelTrainingRunResponse:
        run = await self._supervisor.cancel(request.id)
        return classifier_pb2.CancelTrainingRunResponse(run=run_to_proto(run))

    async def Predict(
        self, request: classifier_pb2.PredictRequest, context: object
    ) -> classifier_pb2.PredictResponse:
        get_model(self._store, request.model_id)
        payload: dict[str, Any] = {"store": str(self._store.root), "model": request.model_id}
        match request.WhichOneof("input"):
            case "inline":
                payload["texts"] = list(request.inline.texts)
            case "artifact":
                payload["corpus"] = artifact_from_proto(request.artifact, "artifact")
            case _:
                raise InvalidInputError("Predict needs texts or a stored corpus", field="input")
        return _prediction_response(await self._workers.run(PREDICT_JOB, payload))

    async def ListModels(
        self, request: classifier_pb2.ListModelsRequest, context: object
    ) -> classifier_pb2.ListModelsResponse:
        return classifier_pb2.ListModelsResponse(models=[_model(kept) for kept in list_models(self._store)])


def spec_from_proto(message: classifier_pb2.TrainingSpec, store: Store) -> TrainingSpec:
    """Return the specification in a message, storing inline corpora.

    Raises:
        InvalidInputError: A part of it is not valid.
    """
    segments = tuple(source_from_proto(s, store, f"segments[{i}]") for i, s in enumerate(message.segments))
    # A caller who sends its one corpus along need not know its digest.
    only = segments[0].sha256 if len(segments) == 1 else ""
    return TrainingSpec(
        task=task_from_proto(message.task),
        family=message.family,
        parameters=_parameters(message.parameters_json),
        segments=segments,
        plans=tuple(_plan(plan, only, f"plans[{i}]") for i, plan in enumerate(message.plans)),
        test=source_from_proto(message.test, store, "test"),
        embeddings={
            sha256: artifact_from_proto(ref, f"embeddings[{sha256}]")
            for sha256, ref in message.embeddings.items()
        },
        encoder=message.encoder,
        folds=message.fold_count,
        seed=message.seed,
        keep_models=message.keep_models,
    )


def run_to_proto(run: TrainingRun) -> classifier_pb2.TrainingRun:
    """Return a run as a message."""
    renewed = Timestamp()
    renewed.FromMilliseconds(int(run.renewed * 1000))
    progress = measurement_pb2.Progress(activity="training", done_count=run.done, total_count=run.total)
    return classifier_pb2.TrainingRun(
        id=run.id,
        state=STATES[run.state],
        progress=progress,
        results=[artifact_to_proto(result) for result in run.results],
        error_reason=run.error_reason,
        error_message=run.error_message,
        error_metadata=dict(run.error_metadata),
        renew_time=renewed,
    )


def _parameters(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        raise InvalidInputError(f"parameters_json is no JSON: {error}", field="parameters_json") from None
    if not isinstance(value, dict):
        raise InvalidInputError(
            f'parameters_json has to be an object like {{"C": 10}}, not {text!r}', field="parameters_json"
        )
    return value


def _plan(message: classifier_pb2.TrainingPlan, only: str, where: str) -> TrainingPlan:
    if message.parent_run_id:
        raise InvalidInputError(
            "no family here starts from another run's model", field=f"{where}.parent_run_id"
        )
    stages = (Stage(_parts(stage.parts, only), stage.objective or LOG_LOSS) for stage in message.stages)
    return TrainingPlan(tuple(stages), tuple(message.strengths))


def _parts(messages: Iterable[classifier_pb2.Part], only: str) -> tuple[Part, ...]:
    return tuple(_part(part, only) for part in messages)


def _part(message: classifier_pb2.Part, only: str) -> Part:
    rows, weights = np.array(message.rows, np.int64), np.array(message.weights, np.float32)
    return Part(message.segment_sha256 or only, rows, weights, message.scored, message.predicted)


def _family(name: str) -> classifier_pb2.Family:
    family = FAMILIES.get(name)
    return classifier_pb2.Family(
        name=name,
        version=str(family.version),
        description=family.description,
        parameters_schema_json=json.dumps(parameters_schema(family.parameters), sort_keys=True),
        objectives=family.objectives,
        stage_count=family.stages,
    )


def _model(kept: KeptModel) -> classifier_pb2.Model:
    return classifier_pb2.Model(
        id=kept.id,
        family=kept.family,
        task=task_to_proto(kept.task),
        threshold=kept.threshold,
        artifact=artifact_to_proto(kept.artifact),
    )


def _prediction_response(answer: dict[str, Any]) -> classifier_pb2.PredictResponse:
    if "scores" in answer:
        return classifier_pb2.PredictResponse(scores=artifact_to_proto(answer["scores"]))
    predictions: Predictions = answer["predictions"]
    return classifier_pb2.PredictResponse(
        predictions=[
            classifier_pb2.Prediction(scores=scores.tolist(), labels=labels)
            for scores, labels in zip(predictions.scores, predictions.label_sets, strict=True)
        ]
    )
