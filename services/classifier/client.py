"""What a flow or a notebook calls to train and to predict."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from services.classifier.models import KeptModel
from services.classifier.runs import RunState, TrainingRun
from services.classifier.specification import InlineTraining, TrainingSpec
from services.domain.artifact import ArtifactRef
from services.domain.errors import BackendUnavailableError, RunCancelledError, StudyError
from services.domain.plan import Part, TrainingPlan
from services.rpc.channel import channel, invoke, invoke_stream
from services.rpc.convert import (
    artifact_from_proto,
    artifact_to_proto,
    artifacts_from_proto,
    source_to_proto,
    task_from_proto,
    task_to_proto,
)
from services.rpc.limits import WORK_SECONDS
from services.rpc.patience import Patience
from services.rpc.status import CODES
from synthtrial.classifier.v1 import classifier_pb2, classifier_pb2_grpc

OnProgress = Callable[[TrainingRun], None]

STATES = {
    classifier_pb2.TRAINING_STATE_QUEUED: RunState.QUEUED,
    classifier_pb2.TRAINING_STATE_RUNNING: RunState.RUNNING,
    classifier_pb2.TRAINING_STATE_SUCCEEDED: RunState.SUCCEEDED,
    classifier_pb2.TRAINING_STATE_FAILED: RunState.FAILED,
    classifier_pb2.TRAINING_STATE_CANCELLED: RunState.CANCELLED,
}


class FamilyInfo(NamedTuple):
    """A family as a service describes it."""

    name: str
    version: str
    description: str
    parameters_schema: dict[str, object]
    objectives: tuple[str, ...]
    stages: int


class TextPrediction(NamedTuple):
    """One text's scores, in the task's order, and its labels."""

    scores: tuple[float, ...]
    labels: tuple[str, ...]


class ClassifierClient:
    """Calls one classifier service."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._stub = classifier_pb2_grpc.ClassifierServiceStub(channel(address))

    def train(
        self, spec: TrainingSpec | InlineTraining, on_progress: OnProgress | None = None
    ) -> tuple[ArtifactRef, ...]:
        """Return one result per plan, training what is not stored yet.

        Outlives a restart of the service: finished plans are kept, the others go on.

        Args:
            spec: What to train.
            on_progress: Called with the run at each change.

        Raises:
            StudyError: Why the run failed, or was cancelled.
        """
        patience = Patience(self._address)
        while True:
            try:
                created = self.create(spec)
                patience.renew()
                for run in self.watch(created.id):
                    patience.renew()
                    if on_progress is not None:
                        on_progress(run)
                return _results(run)
            except BackendUnavailableError as error:
                patience.wait(error)

    def create(self, spec: TrainingSpec | InlineTraining) -> TrainingRun:
        """Start a run, or return the one that exists."""
        message = inline_to_proto(spec) if isinstance(spec, InlineTraining) else spec_to_proto(spec)
        request = classifier_pb2.CreateTrainingRunRequest(spec=message)
        return run_from_proto(invoke(self._stub.CreateTrainingRun, request, self._address).run)

    def get(self, run_id: str) -> TrainingRun:
        """Return a run."""
        request = classifier_pb2.GetTrainingRunRequest(id=run_id)
        return run_from_proto(invoke(self._stub.GetTrainingRun, request, self._address).run)

    def watch(self, run_id: str) -> Iterator[TrainingRun]:
        """Yield a run now and at each change, until it has ended."""
        request = classifier_pb2.WatchTrainingRunRequest(id=run_id)
        for answer in invoke_stream(self._stub.WatchTrainingRun, request, self._address):
            yield run_from_proto(answer.run)

    def cancel(self, run_id: str) -> TrainingRun:
        """Stop a run and return it."""
        request = classifier_pb2.CancelTrainingRunRequest(id=run_id)
        return run_from_proto(invoke(self._stub.CancelTrainingRun, request, self._address).run)

    def predict(self, model_id: str, texts: Sequence[str]) -> tuple[TextPrediction, ...]:
        """Score texts with a kept model."""
        request = classifier_pb2.PredictRequest(
            model_id=model_id, inline=classifier_pb2.TextList(texts=texts)
        )
        answer = invoke(self._stub.Predict, request, self._address, WORK_SECONDS)
        return tuple(TextPrediction(tuple(p.scores), tuple(p.labels)) for p in answer.predictions)

    def predict_corpus(self, model_id: str, corpus: ArtifactRef) -> ArtifactRef:
        """Score a stored corpus; the result holds {"scores": (n, labels)}."""
        request = classifier_pb2.PredictRequest(model_id=model_id, artifact=artifact_to_proto(corpus))
        return artifact_from_proto(
            invoke(self._stub.Predict, request, self._address, WORK_SECONDS).scores, "scores"
        )

    def list_families(self) -> tuple[FamilyInfo, ...]:
        """Return the families that can be trained."""
        answer = invoke(self._stub.ListFamilies, classifier_pb2.ListFamiliesRequest(), self._address)
        return tuple(
            FamilyInfo(
                f.name,
                f.version,
                f.description,
                json.loads(f.parameters_schema_json),
                tuple(f.objectives),
                f.stage_count,
            )
            for f in answer.families
        )

    def list_models(self) -> tuple[KeptModel, ...]:
        """Return the models that were kept."""
        answer = invoke(self._stub.ListModels, classifier_pb2.ListModelsRequest(), self._address)
        return tuple(
            KeptModel(
                model.id,
                model.family,
                task_from_proto(model.task),
                model.threshold if model.HasField("threshold") else None,
                artifact_from_proto(model.artifact, "artifact"),
            )
            for model in answer.models
        )


def spec_to_proto(spec: TrainingSpec) -> classifier_pb2.TrainingSpec:
    """Return a specification as a message."""
    return classifier_pb2.TrainingSpec(
        task=task_to_proto(spec.task),
        family=spec.family,
        parameters_json=json.dumps(dict(spec.parameters), sort_keys=True),
        segments=[source_to_proto(segment) for segment in spec.segments],
        plans=[_plan(plan) for plan in spec.plans],
        test=source_to_proto(spec.test),
        embeddings={sha256: artifact_to_proto(ref) for sha256, ref in spec.embeddings.items()},
        encoder=spec.encoder,
        fold_count=spec.folds,
        seed=spec.seed,
        keep_models=spec.keep_models,
    )


def inline_to_proto(spec: InlineTraining) -> classifier_pb2.TrainingSpec:
    """Return a specification as a message that holds its corpora."""
    count = len(spec.train)
    # The service fills in the digest of a run's only segment.
    part = classifier_pb2.Part(rows=range(count), weights=[1.0] * count, scored=True)
    return classifier_pb2.TrainingSpec(
        task=task_to_proto(spec.train.task),
        family=spec.family,
        parameters_json=json.dumps(dict(spec.parameters), sort_keys=True),
        segments=[source_to_proto(spec.train)],
        plans=[classifier_pb2.TrainingPlan(stages=[classifier_pb2.Stage(parts=[part])])],
        test=source_to_proto(spec.test),
        encoder=spec.encoder,
        fold_count=spec.folds,
        seed=spec.seed,
        keep_models=spec.keep_model,
    )


def run_from_proto(message: classifier_pb2.TrainingRun) -> TrainingRun:
    """Return the run in a message."""
    return TrainingRun(
        id=message.id,
        state=STATES[message.state],
        done=message.progress.done_count,
        total=message.progress.total_count,
        results=artifacts_from_proto(message.results, "results"),
        error_reason=message.error_reason,
        error_message=message.error_message,
        error_metadata=dict(message.error_metadata),
        renewed=message.renew_time.ToMilliseconds() / 1000,
    )


def _results(run: TrainingRun) -> tuple[ArtifactRef, ...]:
    if run.state is RunState.SUCCEEDED:
        return run.results
    if run.state is RunState.CANCELLED:
        raise RunCancelledError(
            f"training run {run.id[:12]}… was cancelled after {run.done} of {run.total} plans"
        )
    kinds = {kind.reason: kind for kind in CODES}
    raise kinds.get(run.error_reason, StudyError)(run.error_message, **{**run.error_metadata, "run": run.id})


def _plan(plan: TrainingPlan) -> classifier_pb2.TrainingPlan:
    stages = [
        classifier_pb2.Stage(parts=[_part(part) for part in stage.parts], objective=stage.objective)
        for stage in plan.stages
    ]
    return classifier_pb2.TrainingPlan(stages=stages, strengths=plan.strengths)


def _part(part: Part) -> classifier_pb2.Part:
    return classifier_pb2.Part(
        segment_sha256=part.segment,
        rows=part.rows.tolist(),
        weights=part.weights.tolist(),
        scored=part.scored,
        predicted=part.predicted,
    )
