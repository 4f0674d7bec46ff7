"""What all tests share: the real data, a store, an address, and no network."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

# After the switch, which they must not miss.
from services.rpc.assembly import Register
from services.rpc.server import in_process
from services.storage.store import Store

REALDATA = Path(__file__).parents[2] / "shared" / "data"
REQUIRED = "REALDATA_REQUIRED"

InProcess = Callable[..., str]

_ran: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip realdata tests where the data are absent, and only there."""
    if REALDATA.is_dir():
        return
    skip = pytest.mark.skip(reason=f"{REALDATA} is absent")
    for item in items:
        if item.get_closest_marker("realdata"):
            item.add_marker(skip)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count the realdata tests that ran to an end."""
    if report.when == "call" and "realdata" in report.keywords:
        _ran.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run that was asked to touch the real data and did not."""
    if os.environ.get(REQUIRED) == "1" and not _ran and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests touched the real data."""
    terminalreporter.write_line(f"realdata tests that ran: {len(_ran)}")
    if os.environ.get(REQUIRED) == "1" and not _ran:
        terminalreporter.write_line(f"failed: {REQUIRED}=1, and no realdata test ran", red=True)


@pytest.fixture(autouse=True)
def _a_store_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whatever opens the store from the environment gets the test's own.
    monkeypatch.setenv("SYNTHTRIAL_STORE", str(tmp_path / "store"))
    for name in ("SYNTHTRIAL_STATE", "SYNTHTRIAL_RESULTS"):
        # Set first, so that what a test's command line puts there is taken back as well.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture
def realdata() -> Path:
    """The folder of real data; its test must carry the marker `realdata`."""
    return REALDATA


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "store")


@pytest.fixture
def service_address(tmp_path: Path) -> Iterator[InProcess]:
    """Start real services: `service_address(register)` returns the address of one over the test's store."""
    with ExitStack() as running:

        def start(register: Register, threads: int = 1) -> str:
            return running.enter_context(in_process(register, tmp_path / "store", threads))

        yield start
