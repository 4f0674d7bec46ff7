"""Splits and regimes never cut families."""

import numpy as np
import pytest

from flows.splits import family_order, split_by_family
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import PreconditionError
from services.domain.task import Task, TaskType

TASK = Task(TaskType.MULTI_LABEL, ("a",))


def corpus(count: int = 90) -> Corpus:
    return Corpus(TASK, tuple(Document(str(i), f"t{i}", ("a",), f"f{i // 3}") for i in range(count)))


def test_no_family_straddles_splits_and_nothing_is_dealt_twice() -> None:
    whole = corpus()
    split = split_by_family(whole, train=40, test=20, reference=10, rng=np.random.default_rng(0))
    parts = [split.train, split.test, split.reference]
    families = [{whole.families[i] for i in part} for part in parts]
    assert not families[0] & families[1] and not families[0] & families[2] and not families[1] & families[2]
    assert len(np.unique(np.concatenate(parts))) == sum(len(part) for part in parts)
    for part, wanted in zip(parts, (40, 20, 10), strict=True):
        assert wanted <= len(part) <= wanted + 2


def test_a_study_without_reference_has_an_empty_one() -> None:
    split = split_by_family(corpus(), train=60, test=20, reference=0, rng=np.random.default_rng(0))
    assert len(split.reference) == 0


def test_a_corpus_too_small_says_by_how_much() -> None:
    with pytest.raises(PreconditionError, match="train gets 69"):
        split_by_family(corpus(), train=80, test=20, reference=0, rng=np.random.default_rng(0))


def test_family_members_stay_together_and_order_depends_on_the_stream_only() -> None:
    whole = corpus(30)
    order = family_order(whole, np.arange(30), np.random.default_rng(1))
    assert sorted(order.tolist()) == list(range(30))
    assert all(len({whole.families[i] for i in order[k : k + 3]}) == 1 for k in range(0, 30, 3))
    shuffled = np.random.default_rng(5).permutation(30)
    again = family_order(whole, shuffled, np.random.default_rng(1))
    assert [whole.families[i] for i in again] == [whole.families[i] for i in order]
