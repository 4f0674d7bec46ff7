"""What a finished study left behind: its tables, and in the store its texts, vectors and scores.

Nothing is written. Plans are composed again by the study's own code, which only
draws rows, and are held against the digests in the tables; no number comes from it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from flows.cells import Arm, Cell
from flows.conditions import Composition, Scene, Segment
from flows.conditions.row_twin import draw_donors
from flows.design import Design, load_profile
from flows.endpoints import Clients
from flows.stages.accounting import CorpusKey, Written
from flows.stages.context import Study
from flows.stages.loading import Material, replicate
from flows.stages.training import compose
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.plan import Part
from services.domain.seeds import stream
from services.storage.store import Store

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Documents with their weights and vectors; `scored` ones are the regime's own real documents."""

    documents: tuple[Document, ...]
    truth: npt.NDArray[np.bool_]
    vectors: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float64]
    scored: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Indexed:
    """Documents of a search index in their order."""

    truth: npt.NDArray[np.bool_]
    vectors: npt.NDArray[np.float32]
    synthetic: npt.NDArray[np.bool_]


class Finished:
    """One study's results folder and the store behind it."""

    def __init__(self, results: Path, store: Store) -> None:
        self.results, self.store = results, store
        self.design = Design(**json.loads((results / "design.json").read_text()))
        digests = json.loads((results / "environment.json").read_text())["digests"]
        self.train, self.test, self.reference = (digests[n] for n in ("train", "test", "reference"))
        self._study = Study(self.design, load_profile("embedded"), cast(Clients, None), store, {})

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.results / f"{name}.parquet")

    @cached_property
    def cells(self) -> pd.DataFrame:
        return self.table("cells").merge(self.table("predictions"), on="cell_id")

    def corpus(self, sha256: str) -> Corpus:
        return self._study.corpus(sha256)

    def vectors(self, sha256: str) -> npt.NDArray[np.float32]:
        """Return a corpus' embeddings, shape (n, d)."""
        return np.asarray(self.store.get_arrays(self._matrices[sha256])[0]["embeddings"])

    def written(self, generator: str, replicate_number: int, regime: int) -> str:
        """Return the corpus that a generator has at a regime."""
        scope = regime if self.design.generator(generator).scope == "regime" else 0
        return self._written[CorpusKey(generator, replicate_number, scope)].corpus

    def predictions(self, cells: pd.DataFrame) -> list[tuple[npt.NDArray[np.float32], float]]:
        """Return test scores and threshold of some cells in the order of their replicates."""
        found = []
        for sha256 in cells.sort_values("replicate")["predictions_sha256"]:
            arrays, metadata = self.store.get_arrays(sha256)
            found.append((arrays["test_scores"], float(metadata["threshold"])))
        return found

    def arm(self, row: Row, arm: str) -> pd.DataFrame:
        """Return the cells of an arm at a row's regime and family, one per replicate."""
        cells = self.cells
        same = (cells["regime"] == row["regime"]) & (cells["classifier_family"] == row["classifier_family"])
        found: pd.DataFrame = cells[same & (cells["arm"] == arm)].sort_values("replicate")
        assert found["replicate"].tolist() == list(range(self.design.replicates)), arm
        return found

    def composition(self, row: Row) -> Composition:
        """Compose a cell's plan; a digest other than the table's is an error."""
        condition, *rest = row["arm"].split(":")
        settings = {k: int(v) for k, _, v in (part.partition("=") for part in rest) if v}
        arm = Arm(condition, next((part for part in rest if "=" not in part), ""), settings)
        cell = Cell(row["cell_id"], row["regime"], arm, row["classifier_family"], row["replicate"])
        composed = compose(self._study, self._material, self._written, cell)
        assert composed.plan.digest == row["plan"], "the plan is not the one that was trained"
        return composed

    def training_set(self, row: Row) -> TrainingSet:
        """Return the documents that a cell was trained on."""
        parts = [part for stage in self.composition(row).plan.stages for part in stage.parts]
        corpora = [self.corpus(part.segment).take(part.rows) for part in parts]
        return TrainingSet(
            tuple(document for corpus in corpora for document in corpus.documents),
            np.concatenate([corpus.indicator for corpus in corpora]),
            self._vectors_of(parts),
            np.concatenate([part.weights for part in parts]).astype(np.float64),
            np.concatenate([np.full(len(part.rows), part.scored) for part in parts]),
        )

    def _vectors_of(self, parts: Sequence[Part]) -> npt.NDArray[np.float32]:
        if all(part.segment in self._matrices for part in parts):
            return np.concatenate([self.vectors(part.segment)[part.rows] for part in parts])
        # Corpora are not embedded in replicates where only families that read texts use them.
        return np.empty((sum(len(part.rows) for part in parts), 0), np.float32)

    def index(self, arm: str, number: int) -> Indexed:
        """Return the search index of an arm in one replicate: the largest regime, then what is added."""
        condition, _, generator = arm.partition(":")
        size, count = max(self.design.regimes), self.design.synthetic_documents
        drawn, pool = replicate(self._study, self.corpus(self.train), number), self.corpus(self.train)
        rows = drawn.order[: size + count] if condition == "new_real" else drawn.regime(size)
        found = [(pool.indicator[rows], self.vectors(self.train)[rows], False)]
        if generator:
            sha256 = self._largest(generator, number)
            written = Segment(sha256, self.corpus(sha256))
            scene = Scene(Segment(self.train, pool), rows, drawn.new(size), written, count)
            copies = rows[draw_donors(scene, stream(self.design.seed, "search", generator, number))[0]]
            added = (pool.indicator[copies], self.vectors(self.train)[copies], True)
            own = (written.corpus.indicator, self.vectors(sha256), True)
            found.append(own if condition == "synthesis" else added)
        synthetic = [np.full(len(truth), flag) for truth, _, flag in found]
        return Indexed(
            np.concatenate([truth for truth, *_ in found]),
            np.concatenate([vectors for _, vectors, _ in found]),
            np.concatenate(synthetic),
        )

    def _largest(self, generator: str, number: int) -> str:
        return self.written(generator, number, max(self.design.generator(generator).regimes or (0,)))

    @cached_property
    def _material(self) -> Material:
        shas = (self.train, self.test, self.reference)
        counts = [len(self.corpus(sha)) for sha in shas]
        return Material(self.corpus(self.train).task, *shas, *counts)

    @cached_property
    def _written(self) -> dict[CorpusKey, Written]:
        against = [self.train, self.test, self.reference]
        found = {}
        for asked, sha256 in self._answers:
            if asked.get("kind") == "synthetic_corpus" and asked["against"] == against:
                values = self.store.get_json(sha256)
                key = CorpusKey(**values.pop("key"))
                assert key not in found, "the store holds corpora of two studies over these documents"
                found[key] = Written(key=key, **values)
        return found

    @cached_property
    def _matrices(self) -> dict[str, str]:
        return {
            asked["corpus"]: sha256 for asked, sha256 in self._answers if asked.get("kind") == "embeddings"
        }

    @cached_property
    def _answers(self) -> list[tuple[Row, str]]:
        files = sorted((self.store.root / "keys").glob("*/*.json"))
        records = [json.loads(path.read_bytes()) for path in files]
        return [(record["specification"], record["answer"]["sha256"]) for record in records]
