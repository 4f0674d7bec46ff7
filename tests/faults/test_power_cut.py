"""Two processes over one store are killed at once, and what they had not synced is gone.

`power` says what is simulated and what is not. Measured on two cores that others used
as well: CUTS = 60 take 55 s; the file takes 70 s.
"""

from pathlib import Path

import pytest

from services.domain.seeds import stream
from tests.faults.conftest import new_lab
from tests.faults.hooks import POINTS, Fault, Lab
from tests.faults.laws import holds_only_whole_files, lost, measurements
from tests.faults.nursery import Nursery
from tests.faults.power import PowerCut

pytestmark = pytest.mark.faults

CUTS = 60
SEED = 21
# Nothing that was not synced, or half of it.
SURVIVALS = (0.0, 0.5)


def test_a_cut_takes_what_was_not_synced(nursery: Nursery, lab: Lab) -> None:
    cut = PowerCut(lab)
    assert nursery.run(lab, Fault(syncs=False)).done
    assert cut.happen(stream(SEED, "unsynced"), survival=0.5) > 100
    assert lost(lab)


@pytest.mark.parametrize("survival", SURVIVALS)
def test_a_cut_takes_nothing_that_was_answered(nursery: Nursery, lab: Lab, survival: float) -> None:
    cut = PowerCut(lab)
    assert nursery.run(lab).done
    cut.happen(stream(SEED, "whole", str(survival)), survival)
    assert not lost(lab)
    assert holds_only_whole_files(lab.store)


def test_after_cuts_at_any_point_the_study_goes_on(nursery: Nursery, tmp_path: Path, expected: bytes) -> None:
    rng, cuts, finished = stream(SEED, "cuts"), 0, 0
    while cuts < CUTS:
        lab = new_lab(tmp_path / f"lab{finished}")
        cut = PowerCut(lab)
        while not nursery.run(lab, Fault(str(rng.choice(POINTS)), int(rng.integers(1, 20))), children=2).done:
            cut.happen(rng, float(rng.choice(SURVIVALS)))
            cuts += 1
            assert holds_only_whole_files(lab.store)
            assert not lost(lab)
        assert measurements(lab) == expected
        finished += 1
