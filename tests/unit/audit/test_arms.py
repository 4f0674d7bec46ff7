from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from flows.auditing.arms import CONTROL, TREATMENT, Arm, ArmComposer
from flows.auditing.corpora import Corpora, build_corpora
from flows.auditing.options import AuditOptions
from flows.auditing.rounds import Round, draw_file, plan_rounds
from flows.conditions import Segment
from flows.report.inputs import THIS_FILE, THIS_GENERATOR
from services.domain.corpus import Corpus
from services.domain.plan import TrainingPlan
from services.storage.store import Store
from tests.unit.audit.tables import plain_rows, record, tables

OPTIONS = AuditOptions(replicates=4, twins=2, folds=3)


def _size(plan: TrainingPlan) -> float:
    return sum(stage.document_count for stage in plan.stages)


def _real_rows(plan: TrainingPlan) -> list[int]:
    return [int(row) for stage in plan.stages for part in stage.parts if part.scored for row in part.rows]


def compose(corpora: Corpora, store: Store, options: AuditOptions = OPTIONS) -> list[tuple[Round, list[Arm]]]:
    """Return the arms of every round of the first file, none of whose rows is rejected."""
    file = corpora.files[0]
    written = Corpus(corpora.task, file.candidates)
    rounds = plan_rounds(corpora.real, corpora.test is not None, options)
    draws = draw_file(written, corpora.real, rounds, options)
    segment = Segment("r" * 64, corpora.real)
    return [
        (one, list(ArmComposer(store, segment, one, options).arms(file.name, written, draws)))
        for one in rounds
    ]


@pytest.fixture
def crossfitted(store: Store) -> tuple[Corpora, list[tuple[Round, list[Arm]]]]:
    written = [record(i, f"written {i}", "ab"[i % 2], source=str(i % 30)) for i in range(90)]
    corpora = build_corpora(tables(plain_rows(30), gpt=written))
    return corpora, compose(corpora, store)


def _of(arms: Sequence[Arm], reading: str, condition: str) -> list[Arm]:
    return [arm for arm in arms if arm.key.reading == reading and arm.key.condition == condition]


def test_a_twin_is_as_large_as_its_treatment(
    crossfitted: tuple[Corpora, list[tuple[Round, list[Arm]]]],
) -> None:
    for _, arms in crossfitted[1]:
        for reading in (THIS_FILE, THIS_GENERATOR):
            sizes = {arm.key.draw: _size(arm.plan) for arm in _of(arms, reading, TREATMENT)}
            for twin in _of(arms, reading, CONTROL):
                assert _size(twin.plan) == sizes[twin.key.draw if reading == THIS_GENERATOR else 0]


def test_every_arm_holds_every_real_document_once(
    crossfitted: tuple[Corpora, list[tuple[Round, list[Arm]]]],
) -> None:
    for one, arms in crossfitted[1]:
        for arm in arms:
            rows = _real_rows(arm.plan)
            assert len(rows) == len(set(rows))
            if arm.key.reading == THIS_FILE:
                assert sorted(rows) == one.train.tolist()


def test_arms_of_a_replicate_share_their_real_documents(
    crossfitted: tuple[Corpora, list[tuple[Round, list[Arm]]]],
) -> None:
    for _, arms in crossfitted[1]:
        for replicate in range(OPTIONS.replicates):
            here = [a for a in arms if a.key.reading == THIS_GENERATOR and a.key.draw == replicate]
            assert len({tuple(_real_rows(arm.plan)) for arm in here}) == 1


def test_nothing_of_a_tested_family_is_trained_on(
    crossfitted: tuple[Corpora, list[tuple[Round, list[Arm]]]], store: Store
) -> None:
    corpora, rounds = crossfitted
    for one, arms in rounds:
        tested = {corpora.real.families[int(row)] for row in one.tested}
        for arm in arms:
            for part in arm.plan.stages[0].parts:
                corpus = corpora.real if part.segment == "r" * 64 else store.get_corpus(part.segment)
                assert tested.isdisjoint(corpus.families[int(row)] for row in part.rows)


def test_longer_rungs_keep_a_part_of_the_same_copies(
    crossfitted: tuple[Corpora, list[tuple[Round, list[Arm]]]],
) -> None:
    _, arms = crossfitted[1][0]
    twins = sorted(
        (a for a in _of(arms, THIS_GENERATOR, CONTROL) if a.key.draw == 0), key=lambda a: a.key.new_real
    )
    weights = [arm.plan.stages[0].parts[0].weights for arm in twins]
    assert len(twins) > 2
    for shorter, longer in pairwise(weights):
        assert (longer <= shorter).all()


def test_a_file_of_fewer_rows_than_replicates_is_still_read_as_this_file(store: Store) -> None:
    corpora = build_corpora(tables(plain_rows(30), plain_rows(10, "test"), gpt=plain_rows(3, "written")))
    ((_, arms),) = compose(corpora, store)
    assert {arm.key.reading for arm in arms} == {THIS_FILE}


def test_a_hand_that_is_cut_keeps_rows_from_the_whole_file(store: Store) -> None:
    corpora = build_corpora(tables(plain_rows(30), plain_rows(10, "test"), gpt=plain_rows(240, "written")))
    written = Corpus(corpora.task, corpora.files[0].candidates)
    rounds = plan_rounds(corpora.real, True, OPTIONS)
    draws = replace(draw_file(written, corpora.real, rounds, OPTIONS), count=10, rungs=())
    composer = ArmComposer(store, Segment("r" * 64, corpora.real), rounds[0], OPTIONS)
    place = {identifier: row for row, identifier in enumerate(written.ids)}
    for arm in _of(list(composer.arms("gpt", written, draws)), THIS_GENERATOR, TREATMENT):
        rows = [place[identifier] for identifier in store.get_corpus(arm.synthetic).ids]
        assert len(rows) == 10 and rows == sorted(rows)
        assert rows[-1] > 120


def test_replicates_draw_different_real_documents(
    crossfitted: tuple[Corpora, list[tuple[Round, list[Arm]]]],
) -> None:
    _, arms = crossfitted[1][0]
    drawn = {tuple(np.sort(_real_rows(arm.plan))) for arm in _of(arms, THIS_GENERATOR, TREATMENT)}
    assert len(drawn) == OPTIONS.replicates
