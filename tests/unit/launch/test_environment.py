import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from services.domain.errors import PreconditionError
from synthtrial.launching.environment import Addresses, base_environment
from synthtrial.launching.ports import Promises, is_free
from synthtrial.launching.processes import listens
from synthtrial.launching.settings import Settings, find_root
from tests.integration.stubs import free_port

ADDRESSES = Addresses("http://127.0.0.1:4200/api", {"generator": "127.0.0.1:50051"})


@pytest.fixture(autouse=True)
def _folders_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE", "STORE", "RESULTS"):
        monkeypatch.delenv(f"SYNTHTRIAL_{name}", raising=False)


def test_the_users_own_prefect_is_kept_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", "secret")
    monkeypatch.setenv("PREFECT_API_URL", "https://elsewhere")

    environment = base_environment(Settings(tmp_path), ADDRESSES, "mark")

    assert "PREFECT_API_KEY" not in environment
    assert environment["PREFECT_API_URL"] == ADDRESSES.api_url
    for name in ("PREFECT_HOME", "PREFECT_PROFILES_PATH", "PREFECT_UI_STATIC_DIRECTORY"):
        assert environment[name].startswith(str(tmp_path))


def test_the_flow_is_told_where_everything_is(tmp_path: Path) -> None:
    environment = base_environment(Settings(tmp_path), ADDRESSES, "mark")

    assert environment["SYNTHTRIAL_GENERATOR"] == "127.0.0.1:50051"
    assert environment["SYNTHTRIAL_STORE"] == str(tmp_path / ".synthtrial" / "store")
    assert environment["SYNTHTRIAL_RESULTS"] == str(tmp_path / "results")


def test_state_store_and_results_may_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE", "STORE", "RESULTS"):
        monkeypatch.setenv(f"SYNTHTRIAL_{name}", name.lower())
    monkeypatch.chdir(tmp_path)

    environment = base_environment(Settings(tmp_path / "project"), ADDRESSES, "mark")

    for name in ("STATE", "STORE", "RESULTS"):
        assert environment[f"SYNTHTRIAL_{name}"] == str(tmp_path / name.lower())
    assert environment["PREFECT_HOME"] == str(tmp_path / "state" / "prefect")


def test_a_port_with_a_listener_is_not_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
        with closing(Promises()) as promises:
            assert promises.choose(port) != port


def test_a_promised_port_is_not_given_twice() -> None:
    with closing(Promises()) as mine, closing(Promises()) as anothers:
        first = mine.choose(free_port())
        # Nobody listens there yet.
        assert is_free(first)
        assert mine.choose(first) != first
        assert anothers.choose(first) != first
        mine.close()
        assert anothers.choose(first) == first


def test_only_what_a_process_listens_on_is_its_own() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        assert listens(os.getpid(), port)
        assert not listens(os.getppid(), free_port())


def test_the_project_is_found_from_inside_it(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "prefect.yaml").touch()
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_root(tmp_path / "a" / "b") == tmp_path


def test_without_a_project_the_message_says_what_would_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthtrial.launching.settings.DEPLOYMENT_FILE", Path("deploy/absent.yaml"))
    with pytest.raises(PreconditionError, match="change to its folder"):
        find_root(tmp_path)
