"""The packed form, on a processor: the same function as the padded one, and every token once."""

from typing import Any

import numpy as np
import pytest
import torch

from services.classifier.fine_tuning import packed_pool
from services.classifier.fine_tuning.batches import even_batches
from services.classifier.fine_tuning.bert import unpackable
from services.classifier.fine_tuning.checkpoints import library, load_model
from services.classifier.fine_tuning.machine import Machine
from services.classifier.fine_tuning.network import Network
from services.classifier.fine_tuning.packed_pool import PackedPool
from services.classifier.fine_tuning.packing import SCORED_TOKENS, STEP_TOKENS, Packing, scored_parts
from services.classifier.fine_tuning.paths import pool_of
from services.classifier.fine_tuning.pool import TokenPool
from services.classifier.fine_tuning.settings import FineTuning
from services.classifier.fine_tuning.tokens import Tokens
from tests.unit.classifier.checkpoint import POSITIONS, SPECIAL, WORDS

LABELS = 3
CPU = torch.device("cpu")
FP32 = Machine(CPU, "fp32")


def documents(count: int, seed: int = 0) -> Tokens:
    """Return documents of random lengths, one of them the longest and one of them a single token."""
    rng = np.random.default_rng(seed)
    lengths = [POSITIONS, 1, *rng.integers(2, POSITIONS, count - 2).tolist()]
    ids = tuple(tuple(rng.integers(1, len(SPECIAL) + len(WORDS), length).tolist()) for length in lengths)
    return Tokens(ids, (False,) * count)


def pools(checkpoint: str, freeze: int, tokens: Tokens) -> tuple[TokenPool, PackedPool]:
    """Return the same documents padded and packed, each under a network of its own with a random head."""
    networks = [Network(load_model(checkpoint, "auto"), freeze, CPU) for _ in range(2)]
    rng = np.random.default_rng(1)
    slopes = torch.from_numpy(rng.normal(size=(LABELS, networks[0].width)).astype(np.float32))
    for network in networks:
        network.start_head(np.array([-1.0, 0.0, 0.5]), np.zeros(LABELS, np.int8))
        with torch.no_grad():
            network.slopes.copy_(slopes)
    packed = PackedPool(tokens, networks[1], FP32, POSITIONS, torch.float32)
    return TokenPool(tokens, 0, networks[0], FP32), packed


@pytest.mark.parametrize("freeze", [0, 1, 2])
def test_packed_and_padded_logits_are_the_same(checkpoint: str, freeze: int) -> None:
    padded, packed = pools(checkpoint, freeze, documents(40))
    rows = np.array([3, 0, 39, 1, *range(5, 30)])
    assert packed.all_logits(rows) == pytest.approx(padded.all_logits(rows), abs=1e-5)


@pytest.mark.parametrize("freeze", [0, 1, 2])
def test_packed_and_padded_gradients_are_the_same(checkpoint: str, freeze: int) -> None:
    padded, packed = pools(checkpoint, freeze, documents(40))
    rows = np.array([0, 1, 7, 11, 12])
    pull = torch.from_numpy(np.random.default_rng(2).normal(size=(len(rows), LABELS)).astype(np.float32))
    torch.autograd.backward(padded.batch_logits(rows), pull)
    network, packing = packed._packed, Packing.of_steps(6, POSITIONS)
    network.refresh()
    logits = network.logits(packed.inputs(rows, packing, packed.step_tokens(rows, packing)))
    whole = torch.zeros_like(logits)
    whole[: len(rows)] = pull
    network.give_back(torch.autograd.grad(logits, network.leaves, whole))
    expected = {name: tensor.grad for name, tensor in padded.trained.items()}
    for name, tensor in packed.network.trained.items():
        found, wanted = tensor.grad, expected[name]
        assert found is not None and wanted is not None, name
        assert found.numpy() == pytest.approx(wanted.numpy(), rel=1e-5, abs=1e-5), name


def test_a_score_does_not_depend_on_the_other_documents(checkpoint: str) -> None:
    _, packed = pools(checkpoint, 0, documents(600))
    every = packed.all_logits(np.arange(600))
    assert (packed.all_logits(np.array([17, 400, 2])) == every[[17, 400, 2]]).all()


def test_states_that_do_not_fit_are_computed_again_to_the_same_bytes(
    checkpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens, rows = documents(40), np.arange(30)
    _, unlimited = pools(checkpoint, 1, tokens)
    monkeypatch.setattr(packed_pool, "_budget", lambda _: 60 * 32 * 4)
    _, small = pools(checkpoint, 1, tokens)
    for pool in (unlimited, small):
        pool.remember(rows)
    assert len(unlimited._kept.missing(rows)) == 0 < len(small._kept.missing(rows)) < 30
    assert (unlimited.all_logits(rows) == small.all_logits(rows)).all()


@pytest.mark.parametrize(("documents_per_step", "longest"), [(4, 48), (16, 3), (32, 512), (1, 10)])
def test_every_token_is_laid_out_once_and_no_segment_is_empty_or_too_long(
    documents_per_step: int, longest: int
) -> None:
    rng, packing = np.random.default_rng(longest), Packing.of_steps(documents_per_step, longest)
    for count in {1, documents_per_step}:
        lengths = rng.integers(1, longest + 1, count)
        starts = np.cumsum(lengths) - lengths + 5
        tokens = packing.tokens(lengths)
        packed = packing.lay_out(starts, lengths, tokens)
        assert tokens % STEP_TOKENS == 0 and len(packed.places) == len(packed.positions) == tokens
        assert packed.places[: lengths.sum()].tolist() == list(range(5, 5 + lengths.sum()))
        assert set(packed.places[lengths.sum() :].tolist()) == {0}
        sizes = np.diff(packed.bounds)
        assert len(sizes) == packing.segments and packed.bounds[-1] == tokens
        assert sizes[:count].tolist() == lengths.tolist()
        assert sizes.min() >= 1 and sizes.max() <= longest
        assert packed.positions.tolist() == [i for size in sizes for i in range(size)]


@pytest.mark.parametrize("longest", [3, 48, 512])
def test_whatever_is_scored_fits_one_shape(longest: int) -> None:
    lengths = np.random.default_rng(0).integers(1, longest + 1, 3000)
    packing = Packing.of_scores(longest)
    parts = list(scored_parts(packing, lengths))
    assert sorted(np.concatenate(parts).tolist()) == list(range(3000))
    for part in parts:
        packed = packing.lay_out(np.zeros(len(part), np.int64), lengths[part], SCORED_TOKENS)
        assert len(packed.places) == SCORED_TOKENS and np.diff(packed.bounds).max() <= longest


def test_too_many_tokens_for_the_spare_segments_are_refused() -> None:
    with pytest.raises(AssertionError, match="do not fill 2 segments of at most 512"):
        Packing(4, 512).lay_out(np.array([0, 10]), np.array([10, 5]), 15 + 2 * 512 + 1)


@pytest.mark.parametrize("count", [1, 7, 31, 32, 33, 1000])
def test_even_batches_hold_every_document_once_and_like_numbers_of_tokens(count: int) -> None:
    lengths = np.random.default_rng(3).integers(10, 500, count)
    batches = even_batches(lengths, 8, 5, 0, 1)
    assert len(batches) == -(-count // 8) and max(map(len, batches)) <= 8
    assert sorted(np.concatenate(batches).tolist()) == list(range(count))
    if count == 1000:
        assert np.std([lengths[batch].sum() for batch in batches]) < np.std(lengths) * 8**0.5 / 2


def test_batches_are_drawn_anew_in_every_epoch() -> None:
    lengths = np.arange(1, 65)
    first, second = (even_batches(lengths, 8, 5, 0, epoch) for epoch in (0, 1))
    assert {frozenset(batch.tolist()) for batch in first} != {frozenset(batch.tolist()) for batch in second}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "decoder": ({"is_decoder": True}, "a decoder"),
    "heads": ({"hidden_size": 36, "num_attention_heads": 3}, "heads of 12 numbers"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_has_no_packed_form_is_said(case: str) -> None:
    changes, why = BAD[case]
    model = type("Model", (), {"config": library().BertConfig(**changes)})()
    assert why in unpackable(model)
    other = type("Model", (), {"config": library().RobertaConfig()})()
    assert unpackable(other) == "roberta has no packed form"


def test_on_a_processor_documents_are_padded_and_nothing_is_noted(checkpoint: str) -> None:
    network = Network(load_model(checkpoint, "auto"), 0, CPU)
    pool, notes = pool_of(documents(3), 0, network, Machine(CPU, "bf16"), FineTuning(), POSITIONS)
    assert isinstance(pool, TokenPool) and notes == {}
