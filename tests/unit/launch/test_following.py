import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from synthtrial.launch import COMMITTED_API_URL, moved, run_command
from synthtrial.launching.environment import Addresses
from synthtrial.launching.following import parameters
from synthtrial.launching.progress import Progressed
from synthtrial.launching.settings import Settings
from synthtrial.launching.stack import Stack

ADDRESSES = Addresses("http://127.0.0.1:1/api", {})
ELSEWHERE = "http://127.0.0.1:4321/api"


class Counted:
    """A display that counts how often it is redrawn."""

    def __init__(self) -> None:
        self.refreshed = 0

    def show(self, progress: Progressed | None, now: float) -> None: ...

    def doing(self, line: str) -> None: ...

    def say(self, line: str) -> None: ...

    def refresh(self) -> None:
        self.refreshed += 1

    def close(self) -> None: ...


@pytest.mark.parametrize("design", ["full", "smoke", "trial"])
def test_a_shipped_design_is_sent_by_its_name(design: str, tmp_path: Path) -> None:
    assert sent(tmp_path, design=design) == {"design": design, "profile": "embedded"}


def test_files_are_sent_by_their_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert sent(tmp_path, design="my/design.toml", profile="mine.toml") == {
        "design": str(tmp_path / "my" / "design.toml"),
        "profile": str(tmp_path / "mine.toml"),
    }


def test_the_bar_moves_over_servers_that_were_up(tmp_path: Path) -> None:
    display = Counted()
    stack = Stack(Settings(tmp_path), display, ADDRESSES)
    ended = iter([False, True])

    stack.children.wait(lambda: next(ended), 10.0, "the study")

    assert display.refreshed == 1
    assert not (tmp_path / ".synthtrial" / "memory.json").exists()


def test_the_shown_command_reaches_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    command = f"{Path(sys.executable).with_name('prefect')} deployment run study/full"
    assert run_command(COMMITTED_API_URL, tmp_path) == command
    assert run_command(COMMITTED_API_URL, tmp_path.parent) == f"PREFECT_API_URL={COMMITTED_API_URL} {command}"
    assert run_command(ELSEWHERE, tmp_path) == f"PREFECT_API_URL={ELSEWHERE} {command}"


def test_a_server_that_had_to_move_is_said_to_have(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    services = {name: f"127.0.0.1:{50051 + place}" for place, name in enumerate(settings.services)}
    assert moved(Addresses(COMMITTED_API_URL, services), settings) == []
    elsewhere = Addresses(ELSEWHERE, services | {"evaluator": "127.0.0.1:40000"})
    assert moved(elsewhere, settings) == [
        "Port 4200 was taken, so Prefect listens on 4321",
        "Port 50053 was taken, so evaluator listens on 40000",
    ]
    assert moved(Addresses(ELSEWHERE, services), Settings(tmp_path, prefect_url=ELSEWHERE)) == []


def sent(root: Path, **given: str) -> Mapping[str, str]:
    found: Mapping[str, str] = json.loads(parameters(Settings(root, **given)))  # type: ignore[arg-type]
    return found
