"""Models that were kept, and predictions with them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from services.classifier.embeddings import complete_embeddings
from services.classifier.families import FAMILIES, Floats, Model, Source, TextBlock
from services.classifier.identifiers import require_digest
from services.classifier.thresholds import Threshold
from services.domain.artifact import ArtifactRef
from services.domain.digest import canonical_json, spec_digest
from services.domain.errors import InvalidInputError, NotFoundError
from services.domain.task import LabelSet, Task, TaskType
from services.storage.files import replace
from services.storage.store import Store


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model on record.

    Args:
        id: Digest of family, parameters, features and plan.
        family: Its family.
        task: What it predicts.
        threshold: The tuned global one, None where none is defined.
        artifact: The weights.
    """

    id: str
    family: str
    task: Task
    threshold: float | None
    artifact: ArtifactRef


@dataclass(frozen=True, slots=True)
class Predictions:
    """Scores, shape (n, labels), and what they amount to at the model's threshold.

    Without a threshold a multi-label model names no labels.
    """

    scores: Floats
    label_sets: tuple[LabelSet, ...]


def keep_model(
    store: Store, key: Mapping[str, Any], task: Task, threshold: Threshold, model: Model
) -> KeptModel:
    """Store a model and enter it into the record."""
    metadata = {**model.metadata, "family": str(key["family"][0])}
    artifact = store.put_arrays(model.arrays, metadata)
    kept = KeptModel(spec_digest(key), metadata["family"], task, threshold.value, artifact)
    replace(_path(store, kept.id), canonical_json(_to_json(kept)))
    return kept


def is_kept(store: Store, key: Mapping[str, Any]) -> bool:
    """Say whether a result's model is on record and its weights exist."""
    path = _path(store, spec_digest(key))
    return path.exists() and store.objects.has(_from_json(path).artifact.sha256)


def list_models(store: Store) -> Iterator[KeptModel]:
    """Yield all models in the order of their identifiers."""
    for path in sorted(_folder(store).glob("*.json")):
        yield _from_json(path)


def get_model(store: Store, identifier: str) -> KeptModel:
    """Return a model on record.

    Raises:
        InvalidInputError: No model can have this identifier.
        NotFoundError: There is none of this name.
    """
    require_digest(identifier, "model_id")
    path = _path(store, identifier)
    if not path.exists():
        raise NotFoundError(
            f"no model {identifier!r} is kept; train with keep_models, then ListModels names it",
            name=identifier,
        )
    return _from_json(path)


def predict_texts(store: Store, identifier: str, texts: Sequence[str]) -> Predictions:
    """Score texts that come with the request.

    Raises:
        InvalidInputError: No texts, or one without words.
    """
    blank = [i for i, text in enumerate(texts) if not text.strip()]
    if not texts or blank:
        where = f"texts[{blank[0]}]" if blank else "texts"
        raise InvalidInputError(f"{where}: there is no text to score", field=where)
    return _predict(store, identifier, TextBlock(tuple(texts)))


def predict_corpus(store: Store, identifier: str, corpus: ArtifactRef) -> ArtifactRef:
    """Score a stored corpus and store {"scores": (n, labels)}.

    Raises:
        InvalidInputError: The corpus is of another task than the model.
    """
    kept, documents = get_model(store, identifier), store.get_corpus(corpus)
    if documents.task != kept.task:
        raise InvalidInputError(
            f"the model predicts {len(kept.task.labels)} labels ({kept.task.type.value}), and the corpus has "
            f"{len(documents.task.labels)} ({documents.task.type.value}): {kept.task.unlike(documents.task)}; give a "
            "corpus of the model's task",
            field="artifact",
        )
    scores = _predict(store, identifier, TextBlock(documents.texts, corpus)).scores
    return store.put_arrays({"scores": scores}, {"model": identifier, "corpus": corpus.sha256})


def predict(payload: dict[str, Any], report: object) -> dict[str, Any]:
    """Answer Predict in a worker.

    Args:
        payload: "store" (folder), "model" (identifier), and "texts" or "corpus" (reference).
        report: Not used; predictions are quick.

    Returns:
        "predictions" for texts, "scores" for a corpus.
    """
    store, identifier = Store(payload["store"]), payload["model"]
    if "corpus" in payload:
        return {"scores": predict_corpus(store, identifier, payload["corpus"])}
    return {"predictions": predict_texts(store, identifier, payload["texts"])}


def _predict(store: Store, identifier: str, block: TextBlock) -> Predictions:
    kept = get_model(store, identifier)
    family = FAMILIES.get(kept.family)
    arrays, metadata = store.get_arrays(kept.artifact)
    encoder = metadata.get("encoder", "")
    corpora = [] if block.corpus is None or not family.encodes else [block.corpus]
    source = Source(store, (block,), complete_embeddings(store, corpora, {}, encoder), encoder)
    scores = family.scores(Model(arrays, metadata), source)
    return Predictions(scores, kept.task.decode(_decide(scores, kept)))


def _decide(scores: Floats, kept: KeptModel) -> np.ndarray:
    if kept.task.type is TaskType.SINGLE_LABEL:
        return np.asarray(np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None])
    return scores >= (np.inf if kept.threshold is None else kept.threshold)


def _folder(store: Store) -> Path:
    return store.root / "models"


def _path(store: Store, identifier: str) -> Path:
    return _folder(store) / f"{identifier}.json"


def _to_json(kept: KeptModel) -> dict[str, Any]:
    return {
        "id": kept.id,
        "family": kept.family,
        "task": {"type": kept.task.type.value, "labels": list(kept.task.labels)},
        "threshold": kept.threshold,
        "artifact": {"sha256": kept.artifact.sha256, "row_count": kept.artifact.row_count},
    }


def _from_json(path: Path) -> KeptModel:
    value = json.loads(path.read_bytes())
    task = Task(TaskType(value["task"]["type"]), tuple(value["task"]["labels"]))
    artifact = ArtifactRef.stored(value["artifact"]["sha256"], value["artifact"]["row_count"])
    return KeptModel(value["id"], value["family"], task, value["threshold"], artifact)
