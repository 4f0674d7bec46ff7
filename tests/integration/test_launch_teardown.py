"""However a launch ends, it leaves nothing running. Prefect is a stand-in here."""

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.stubs import PATIENCE_SECONDS, Project, eventually, free_port, make_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    yield project
    project.kill_all()


def in_mid_run(project: Project) -> bool:
    return eventually(
        lambda: any("prefect.engine" in p.cmdline() for p in project.processes("prefect worker"))
    )


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_everything(project: Project, number: signal.Signals, code: int) -> None:
    supervisor = project.start("study", "fake", free_port())
    assert in_mid_run(project), project.output

    supervisor.send_signal(number)

    assert supervisor.wait(PATIENCE_SECONDS) == code, project.output
    assert project.processes() == []
    assert "Interrupted" in project.output


def test_sudden_death_of_the_supervisor_leaves_nothing(project: Project) -> None:
    supervisor = project.start("study", "fake", free_port())
    assert in_mid_run(project), project.output

    supervisor.kill()
    supervisor.wait()

    assert eventually(lambda: project.processes() == []), project.processes()


def test_a_signal_while_starting_ends_everything(project: Project) -> None:
    supervisor = project.start("study", "fake", free_port())
    assert eventually(lambda: project.processes("generator"))

    supervisor.send_signal(signal.SIGINT)

    assert supervisor.wait(PATIENCE_SECONDS) == 130, project.output
    assert project.processes() == []


def test_a_second_study_says_so_and_ends(project: Project) -> None:
    first = project.start("study", "fake", free_port())
    assert in_mid_run(project), project.output

    second = project.start("study", "fake", free_port())

    assert second.wait(PATIENCE_SECONDS) == 1
    assert f"a study runs in this folder already, as process {first.pid}" in project.output
    assert first.poll() is None
    first.kill()
    first.wait()


def test_a_dead_worker_fails_the_study_and_says_so(project: Project) -> None:
    supervisor = project.start("study", "fake", free_port())
    assert in_mid_run(project), project.output

    for process in project.processes("prefect worker"):
        process.kill()

    assert supervisor.wait(PATIENCE_SECONDS) == 1
    assert "prefect worker ended with exit code -9" in project.output
    assert project.processes() == []


def test_a_service_that_never_starts_is_given_up(project: Project) -> None:
    (project.root / "service.py").write_text("raise SystemExit('cannot start: no such weather')")

    supervisor = project.start("study", "fake", free_port())

    assert supervisor.wait(PATIENCE_SECONDS) == 1
    assert "starting it again" in project.output
    assert "no such weather" in project.output
    assert project.processes() == []


def test_a_refused_run_ends_with_what_prefect_said(project: Project) -> None:
    supervisor = project.start("study", "fake", free_port(), STUB_REFUSES="1")

    assert supervisor.wait(PATIENCE_SECONDS) == 1
    assert "refused" in project.output
    assert project.processes() == []


def test_a_taken_port_is_avoided(project: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        supervisor = project.start("study", "fake", port)
        assert in_mid_run(project), project.output
        supervisor.send_signal(signal.SIGINT)
        supervisor.wait(PATIENCE_SECONDS)

    (addresses,) = re.findall(
        r"Prefect http://127\.0\.0\.1:(\d+), generator 127\.0\.0\.1:(\d+)", project.output
    )
    assert str(port) not in addresses
