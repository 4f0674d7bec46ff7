import socket
from pathlib import Path

import pytest

from services.domain.errors import PreconditionError
from synthtrial.launching.environment import Addresses, base_environment
from synthtrial.launching.ports import choose, is_free
from synthtrial.launching.settings import Settings, find_root

ADDRESSES = Addresses("http://127.0.0.1:4200/api", {"generator": "127.0.0.1:50051"})


def test_the_users_own_prefect_is_kept_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", "secret")
    monkeypatch.setenv("PREFECT_API_URL", "https://elsewhere")

    environment = base_environment(Settings(tmp_path), ADDRESSES, "mark")

    assert "PREFECT_API_KEY" not in environment
    assert environment["PREFECT_API_URL"] == ADDRESSES.api_url
    for name in ("PREFECT_HOME", "PREFECT_PROFILES_PATH", "PREFECT_UI_STATIC_DIRECTORY"):
        assert environment[name].startswith(str(tmp_path))


def test_the_flow_is_told_where_everything_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SYNTHTRIAL_STORE", raising=False)

    environment = base_environment(Settings(tmp_path), ADDRESSES, "mark")

    assert environment["SYNTHTRIAL_GENERATOR"] == "127.0.0.1:50051"
    assert environment["SYNTHTRIAL_STORE"] == str(tmp_path / ".synthtrial" / "store")
    assert environment["SYNTHTRIAL_RESULTS"] == str(tmp_path / "results")


def test_a_port_with_a_listener_is_not_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
        assert choose(port) != port


def test_a_promised_port_is_not_given_twice() -> None:
    first = choose(0, {0})
    assert choose(first, {first}) != first


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
