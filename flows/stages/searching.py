"""Search an index of real documents with and without a synthetic corpus in it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flows.conditions import Scene, Segment
from flows.conditions.row_twin import draw_donors
from flows.experiments import PlannedSearch
from flows.stages.accounting import CorpusKey, Written
from flows.stages.context import Study
from flows.stages.loading import Material, replicate
from flows.stages.values import plain
from flows.versions import SEARCHING
from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.document import Document, Provenance
from services.domain.seeds import stream
from services.retrieval.client import IndexSpec, SegmentRows

METRICS = ("ndcg@10", "recall@10")
READINGS = ("real_only", "all")


@dataclass(frozen=True)
class Searched:
    """One index's scores under one reading, in one replicate."""

    arm: str
    generator: str
    replicate: int
    reading: str
    measurements: list[dict[str, Any]]
    per_query: str


def search_replicate(
    study: Study,
    material: Material,
    written: Mapping[CorpusKey, Written],
    embeddings: Mapping[str, ArtifactRef],
    planned: tuple[PlannedSearch, ...],
    number: int,
) -> list[Searched]:
    """Evaluate every planned index of one replicate, or find the results stored."""

    possible = [search for search in planned if _embedded(study, search, number)]

    def compute() -> ArtifactRef:
        found: list[Searched] = []
        for search in possible:
            segments = _segments(study, material, written, embeddings, search, number)
            found += _evaluate(study, material, embeddings, search, segments, number)
        return study.store.put_json([plain(searched) for searched in found])

    mine = [w.corpus for key, w in written.items() if key.replicate == number]
    corpora = [sha for sha in mine if sha in embeddings]
    identity = {
        "kind": "search",
        "version": SEARCHING,
        "replicate": number,
        "seed": study.design.seed,
        "size": max(study.design.regimes),
        "count": study.design.synthetic_documents,
        "planned": [search.arm for search in possible],
        "embeddings": sorted(embeddings[sha].sha256 for sha in (material.train, material.test, *corpora)),
    }
    searched = _searched(study, study.store.computed(identity, compute))
    if not all(study.store.objects.has(one.per_query) for one in searched):
        searched = _searched(study, study.store.replace(identity, compute()))
    return searched


def _searched(study: Study, reference: ArtifactRef) -> list[Searched]:
    return [Searched(**values) for values in study.store.get_json(reference)]


def _embedded(study: Study, search: PlannedSearch, number: int) -> bool:
    return not search.generator or study.design.generator(search.generator).embeds(number)


def _evaluate(
    study: Study,
    material: Material,
    embeddings: Mapping[str, ArtifactRef],
    search: PlannedSearch,
    segments: tuple[SegmentRows, ...],
    number: int,
) -> list[Searched]:
    retrieval = study.clients.retrieval
    index = retrieval.build_index(IndexSpec("dense", segments, material.task))
    found = []
    for reading in READINGS:
        evaluation = retrieval.evaluate_index(
            index,
            ArtifactRef.stored(material.test, material.test_count),
            embeddings[material.test],
            metrics=METRICS,
            reading=reading,
        )
        measurements = [plain(m) for m in evaluation.measurements]
        found.append(
            Searched(search.arm, search.generator, number, reading, measurements, evaluation.per_query.sha256)
        )
    retrieval.delete_index(index)
    return found


def _segments(
    study: Study,
    material: Material,
    written: Mapping[CorpusKey, Written],
    embeddings: Mapping[str, ArtifactRef],
    search: PlannedSearch,
    number: int,
) -> tuple[SegmentRows, ...]:
    train = Segment(material.train, study.corpus(material.train))
    drawn = replicate(study, train.corpus, number)
    size = max(study.design.regimes)
    real = _rows(train, drawn.regime(size), embeddings)
    if search.addition == "":
        return (real,)
    if search.addition == "new_real":
        return (_rows(train, drawn.order[: size + study.design.synthetic_documents], embeddings),)
    corpus = _synthetic(study, written, search, number)
    if search.addition == "row_twin":
        scene = Scene(train, drawn.regime(size), drawn.new(size), corpus, len(corpus.corpus))
        return real, _copies(study, scene, embeddings, search, number)
    return real, SegmentRows(
        ArtifactRef.stored(corpus.sha256, len(corpus.corpus)), (), embeddings[corpus.sha256], synthetic=True
    )


def _rows(segment: Segment, rows: np.ndarray, embeddings: Mapping[str, ArtifactRef]) -> SegmentRows:
    return SegmentRows(
        ArtifactRef.stored(segment.sha256, len(segment.corpus)),
        tuple(int(row) for row in rows),
        embeddings[segment.sha256],
        synthetic=False,
    )


def _synthetic(
    study: Study, written: Mapping[CorpusKey, Written], search: PlannedSearch, number: int
) -> Segment:
    generator = study.design.generator(search.generator)
    regime = max(generator.regimes) if generator.scope == "regime" else 0
    sha = written[CorpusKey(generator.name, number, regime)].corpus
    return Segment(sha, study.corpus(sha))


def _copies(
    study: Study, scene: Scene, embeddings: Mapping[str, ArtifactRef], search: PlannedSearch, number: int
) -> SegmentRows:
    rng = stream(study.design.seed, "search", search.generator, number)
    donors, _ = draw_donors(scene, rng)
    rows = scene.real_rows[donors]
    copies = Corpus(
        scene.real.corpus.task,
        tuple(_copy(k, scene.real.corpus.documents[int(row)]) for k, row in enumerate(rows)),
    )
    vectors, metadata = study.store.get_arrays(embeddings[scene.real.sha256])
    matrix = study.store.put_arrays({"embeddings": vectors["embeddings"][rows]}, metadata)
    return SegmentRows(study.store.put_corpus(copies), (), matrix, synthetic=True)


def _copy(number: int, document: Document) -> Document:
    provenance = Provenance("row_twin", "copy", source_id=document.id, requested_labels=document.labels)
    return replace(document, id=f"copy-{number}", provenance=provenance)
