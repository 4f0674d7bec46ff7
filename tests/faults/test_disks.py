"""Full and read-only disks under a store, a training engine and a real service.

Measured on two cores that others used as well: 95 s. Mounted disks are left out where
mounting is not permitted; the limits of a child process stand in for them everywhere.
"""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from services.classifier.client import ClassifierClient
from services.classifier.service import register
from services.domain.errors import PreconditionError, QueueFullError
from services.rpc.artifacts import upload_artifact
from services.rpc.server import in_process
from services.rpc.status import code_of
from services.storage.store import Store
from tests.faults.conftest import new_lab
from tests.faults.disks import fill, mounted
from tests.faults.hooks import Lab
from tests.faults.laws import holds_only_whole_files, measurements
from tests.faults.nursery import Nursery
from tests.faults.workload import PLANS, specification

pytestmark = pytest.mark.faults

# From no room at all to room for some of the plans.
ROOM = (0, 20_000, 60_000)
EXHAUSTED, FAILED = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.FAILED_PRECONDITION


@pytest.fixture
def open_lab() -> Iterator[Lab]:
    """A lab in a folder that every user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="synthtrial-"))
    folder.chmod(0o755)
    yield new_lab(folder / "lab")
    shutil.rmtree(folder)


@pytest.mark.parametrize("room", ROOM)
def test_a_service_on_a_full_disk_says_so_and_goes_on_when_there_is_room(tmp_path: Path, room: int) -> None:
    spec = specification(Store(tmp_path / "elsewhere"))
    with in_process(register, tmp_path / "elsewhere") as address:
        expected = ClassifierClient(address).train(spec)
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=1m", "none") as disk:
        store = Store(disk / "store")
        assert specification(store).run_id == spec.run_id
        ballast = fill(disk, room)
        with in_process(register, store.root) as address:
            client = ClassifierClient(address)
            with pytest.raises(QueueFullError, match="no room to write below") as caught:
                client.train(spec)
            assert code_of(caught.value) is EXHAUSTED
            with pytest.raises(QueueFullError, match="no room"):
                upload_artifact(address, bytes(range(256)) * 1000)
            assert holds_only_whole_files(store.root)
            assert not list(store.root.rglob(".tmp.*"))
            ballast.unlink()
            assert client.train(spec) == expected
        assert holds_only_whole_files(store.root)


def test_a_child_that_may_write_no_large_file_says_so_and_another_goes_on(
    nursery: Nursery, lab: Lab, expected: bytes
) -> None:
    assert nursery.run(lab, task="small_files").done
    (refused,) = lab.events("refused")
    assert refused["kind"] == "StoreFullError"
    assert str(lab.store) in refused["message"]
    assert holds_only_whole_files(lab.store)
    assert not list(lab.store.rglob(".tmp.*"))
    assert nursery.run(lab).done
    assert measurements(lab) == expected


def test_a_read_only_store_answers_and_refuses_by_name(nursery: Nursery, open_lab: Lab) -> None:
    assert nursery.run(open_lab).done
    assert nursery.run(open_lab, task="reader").done
    refused = open_lab.events("refused")
    assert [event["what"] for event in refused] == ["object", "key", "run", "model"]
    for event in refused:
        assert event["kind"] == "StoreNotWritableError"
        assert str(open_lab.store) in event["message"]
    assert bytes.fromhex(open_lab.events("read")[-1]["measurements"]) == measurements(open_lab)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[tuple[Store, ClassifierClient]]:
    """A store whose disk was mounted read-only once a run was trained, and the client of a service over it."""
    store = Store(tmp_path / "store")
    with in_process(register, store.root) as address:
        ClassifierClient(address).train(specification(store))
    with (
        mounted(store.root, "--bind", "-o", "ro", str(store.root)),
        in_process(register, store.root) as address,
    ):
        yield store, ClassifierClient(address)


def test_a_service_on_a_read_only_disk_answers_what_is_stored(
    read_only: tuple[Store, ClassifierClient],
) -> None:
    store, client = read_only
    assert len(client.train(specification(store))) == PLANS
    assert client.predict(client.list_models()[0].id, ["wheelchair wheelchair"])
    with pytest.raises(PreconditionError, match=f"cannot write below {store.root}") as caught:
        upload_artifact(client._address, b"new")
    assert code_of(caught.value) is FAILED
    assert holds_only_whole_files(store.root)


def test_a_service_on_a_read_only_disk_refuses_to_train_by_name(
    read_only: tuple[Store, ClassifierClient],
) -> None:
    store, client = read_only
    with pytest.raises(PreconditionError, match=f"cannot write below {store.root}"):
        client.train(replace(specification(store), seed=8))
