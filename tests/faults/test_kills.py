"""200 times kill -9 at named points and at random over the store and the training engine.

Measured on two cores that others used as well: KILLS = 200 take 110 s, 0.55 s for a kill
with its checks and its resumption; the file takes 145 s.
"""

import time
from pathlib import Path

import numpy as np
import pytest

from services.domain.seeds import stream
from tests.faults.conftest import new_lab
from tests.faults.hooks import POINTS, Fault, Lab
from tests.faults.laws import computed_again, holds_only_whole_files, lost, measurements
from tests.faults.nursery import Nursery

pytestmark = pytest.mark.faults

KILLS = 200
SEED = 20
# A point is reached up to this often before the work is done; later ones would kill nobody.
OFTEN = 30
ONCE_OR_TWICE = {"mkdir": 20, "made": 20, "begin plan": 5, "plan trained": 5}


def test_an_undisturbed_child_measures_what_this_process_does(
    nursery: Nursery, lab: Lab, expected: bytes
) -> None:
    assert nursery.run(lab).done
    assert measurements(lab) == expected
    assert not list(lab.store.rglob(".tmp.*"))
    assert nursery.run(lab).done
    assert not computed_again(lab)


@pytest.mark.parametrize("point", POINTS)
def test_every_point_is_one_that_kills(nursery: Nursery, lab: Lab, expected: bytes, point: str) -> None:
    assert nursery.run(lab, Fault(point)).killed
    holds_only_whole_files(lab.store)
    assert nursery.run(lab).done
    assert measurements(lab) == expected


def test_no_kill_loses_repeats_or_changes_anything(nursery: Nursery, tmp_path: Path, expected: bytes) -> None:
    rng, killed, finished = stream(SEED, "kills"), 0, 0
    whole = _seconds(nursery, new_lab(tmp_path / "timed"))
    while killed < KILLS:
        lab = new_lab(tmp_path / f"lab{finished}")
        while not _killed_or_done(nursery, lab, rng, whole):
            killed += 1
            _check(lab)
        _check(lab)
        assert measurements(lab) == expected
        finished += 1
    assert finished > 2


def _check(lab: Lab) -> None:
    assert holds_only_whole_files(lab.store)
    assert not lost(lab)
    assert not computed_again(lab)


def _killed_or_done(nursery: Nursery, lab: Lab, rng: np.random.Generator, whole: float) -> bool:
    """Kill a child at a named point or at a random time; say whether it was done before."""
    if rng.random() < 0.5:
        return nursery.run(lab, kill_after_seconds=rng.uniform(0, whole)).done
    point = str(rng.choice(POINTS))
    return nursery.run(lab, Fault(point, int(rng.integers(1, ONCE_OR_TWICE.get(point, OFTEN))))).done


def _seconds(nursery: Nursery, lab: Lab) -> float:
    started = time.monotonic()
    assert nursery.run(lab).done
    return time.monotonic() - started
