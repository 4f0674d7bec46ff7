"""What is damaged is set aside once, and an input never."""

from pathlib import Path

import pytest

from flows import mending
from flows.mending import Mending
from services.domain.errors import DataLossError
from services.storage.objects import ObjectStore


class Bench:
    """A store with an input and a result, and a stage that reads one of them."""

    def __init__(self, root: Path) -> None:
        self.objects = ObjectStore(root)
        self.given, self.computed = self.objects.put(b"given"), self.objects.put(b"computed")
        self.restored = 0
        self.mending = Mending(self.objects, lambda: (self.given,), self._restore)

    def read(self, sha256: str) -> bytes:
        return self.mending.mended(lambda: self.objects.get(sha256))

    def damage(self, sha256: str) -> None:
        self.objects.path(sha256).write_bytes(b"damaged")

    def _restore(self) -> None:
        self.restored += 1
        self.objects.put(b"computed")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_damaged_result_is_computed_anew(bench: Bench) -> None:
    bench.damage(bench.computed)
    assert bench.read(bench.computed) == b"computed"
    assert (bench.mending.set_aside, bench.restored) == ([bench.computed], 1)


def test_a_damaged_input_stops_and_stays(bench: Bench) -> None:
    bench.damage(bench.given)
    with pytest.raises(DataLossError):
        bench.read(bench.given)
    assert bench.objects.path(bench.given).read_bytes() == b"damaged"
    assert (bench.mending.set_aside, bench.restored) == ([], 0)


def test_damage_that_does_not_end_stops(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "MOST_DAMAGED", 3)

    def unlucky() -> None:
        bench.damage(bench.computed)
        bench.objects.get(bench.computed)

    with pytest.raises(DataLossError):
        bench.mending.mended(unlucky)
    assert len(bench.mending.set_aside) == 3


def test_what_another_thread_set_aside_is_not_missed(bench: Bench) -> None:
    error = DataLossError("damaged", sha256=bench.computed)
    bench.mending.put_aside(error)
    bench.mending.put_aside(error)
    assert bench.mending.set_aside == [bench.computed]


def test_damage_outside_the_store_is_not_mended(bench: Bench) -> None:
    for metadata in ({}, {"sha256": "0" * 64}):
        with pytest.raises(DataLossError):
            bench.mending.put_aside(DataLossError("elsewhere", **metadata))
