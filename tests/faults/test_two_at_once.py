"""Two flows, and two clients of one service, over one store at the same time.

Measured on two cores that others used as well: 55 s.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.classifier.client import ClassifierClient
from services.classifier.service import register
from services.rpc.server import in_process
from services.storage.store import Store
from tests.faults.laws import holds_only_whole_files
from tests.faults.small_study import CELL_COUNT, cells, measurements
from tests.faults.workload import PLANS, specification
from tests.integration.stubs import REPOSITORY, eventually

pytestmark = pytest.mark.faults

SITE = Path(__file__).parent / "site"
PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Links:
    """The log of all links that processes made."""

    path: Path

    def environment(self) -> dict[str, str]:
        """Return what makes a process, and all it starts, write the log."""
        search = os.pathsep.join([str(SITE), str(REPOSITORY)])
        return {"FAULTS_LINK_LOG": str(self.path), "PYTHONPATH": search}

    def keys(self, won: bool) -> Counter[str]:
        """Return how often each key was published, or published in vain."""
        lines = [line.split() for line in self.path.read_text().splitlines()]
        return Counter(name for _, state, name in lines if name.endswith(".json") and state == str(int(won)))


@pytest.fixture
def links(tmp_path: Path) -> Links:
    return Links(tmp_path / "links.txt")


def test_two_flows_over_one_store_measure_the_same_and_publish_once(
    tmp_path: Path, links: Links, undisturbed: bytes
) -> None:
    store, go = tmp_path / "store", tmp_path / "go"
    flows = [_start(tmp_path / name, store, go, links) for name in ("first", "second")]
    assert eventually(lambda: all((tmp_path / n / "ready").exists() for n in ("first", "second")), 120)
    go.touch()
    assert [flow.wait(PATIENCE_SECONDS) for flow in flows] == [0, 0]

    assert measurements(tmp_path / "first") == undisturbed
    assert measurements(tmp_path / "second") == undisturbed
    assert holds_only_whole_files(store)
    assert len(cells(store)) == CELL_COUNT
    published = links.keys(won=True)
    assert set(published.values()) == {1}
    assert set(published) == {path.name for path in store.glob("keys/??/*.json")}
    # A training run has one owner, so no plan is fitted by both.
    twice = set(links.keys(won=False))
    assert not {_computed(store, name) for name in twice} & {"plan_result"}


def test_two_clients_of_one_service_get_one_run(
    tmp_path: Path, links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in links.environment().items():
        monkeypatch.setenv(name, value)
    store = Store(tmp_path / "store")
    spec = specification(store)
    with in_process(register, store.root, workers=2) as address, ThreadPoolExecutor(2) as pool:
        clients = [ClassifierClient(address) for _ in range(2)]
        first, second = pool.map(lambda client: client.train(spec), clients)
    assert first == second
    results = [name for name in links.keys(won=True) if _computed(store, name) == "plan_result"]
    assert len(results) == PLANS
    assert not links.keys(won=False)
    assert holds_only_whole_files(store.root)


def _start(folder: Path, store: Path, go: Path, links: Links) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.faults.flow_process", str(folder), str(store), str(go)]
    return subprocess.Popen(command, cwd=REPOSITORY, env={**os.environ, **links.environment()})


def _computed(store: Path | Store, name: str) -> str:
    root = store.root if isinstance(store, Store) else store
    asked = json.loads((root / "keys" / name[:2] / name).read_bytes())["specification"]
    return str(asked.get("computed") or asked.get("kind") or asked.get("what"))
