"""One real bring-up of Prefect, shared by everything that needs it; a stub in place of the study."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from synthtrial.launching.health import wait
from synthtrial.launching.prefect_api import PrefectApi
from tests.integration.stubs import Project, eventually, free_port, make_project


@dataclass(frozen=True)
class Servers:
    """Servers that are up in a project of stubs."""

    project: Project
    addresses: dict[str, Any]

    @property
    def api(self) -> PrefectApi:
        return PrefectApi(self.addresses["api_url"])


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    project = make_project(tmp_path_factory.mktemp("project"))
    # What the user has set for another Prefect must not get through.
    supervisor = project.start("serve", "real", free_port(), PREFECT_API_URL="http://127.0.0.1:1/api")
    record = project.root / ".synthtrial" / "servers.json"
    try:
        assert eventually(lambda: record.exists() or supervisor.poll() is not None, 120), project.output
        assert supervisor.poll() is None, project.output
        yield Servers(project, json.loads(record.read_text())["addresses"])
        supervisor.terminate()
        assert supervisor.wait(60) == 143
        assert project.processes() == []
        assert not record.exists()
        assert [path.name for path in project.home.iterdir()] == []
    finally:
        project.kill_all()
        supervisor.wait()


def test_a_study_uses_the_servers_that_are_up_and_leaves_them(servers: Servers) -> None:
    study = servers.project.start("study", "real", free_port())

    assert study.wait(90) == 0, servers.project.output

    assert "Report: results/latest/report.html" in servers.project.output
    assert "100 %: training" in servers.project.output
    # Measured by whoever started the servers, not by the study that uses them.
    assert "prefect server" in servers.project.memory["at_peak"]
    report = (servers.project.root / "results/latest/report.html").read_text()
    assert report == f"full embedded {servers.addresses['services']['generator']}"
    assert servers.api.is_healthy()


def test_memory_of_every_process_is_counted(servers: Servers) -> None:
    record = servers.project.memory

    assert {"prefect server", "prefect worker", "generator", "evaluator", "supervisor"} <= set(
        record["largest"]
    )
    assert sum(record["at_peak"].values()) == record["peak_pss_bytes"] >= record["mean_pss_bytes"] > 50e6


def test_stale_runs_are_swept(servers: Servers) -> None:
    flow = servers.api.call("/flows/", {"name": "stale"})
    state = {"type": "RUNNING", "name": "Running"}
    run = servers.api.call("/flow_runs/", {"flow_id": flow["id"], "state": state})

    assert servers.api.sweep() == 1

    assert servers.api.run(run["id"]).type == "CRASHED"
    assert servers.api.sweep() == 0


def test_a_killed_service_comes_back(servers: Servers) -> None:
    (killed,) = servers.project.processes("generator")
    killed.kill()

    assert eventually(
        lambda: [p.pid for p in servers.project.processes("generator")] not in ([], [killed.pid])
    )

    assert wait([servers.addresses["services"]["generator"]], 30.0) == []


def test_nothing_of_the_users_prefect_gets_through(servers: Servers) -> None:
    worker = min(servers.project.processes("prefect worker"), key=lambda process: process.create_time())

    assert worker.environ()["PREFECT_API_URL"] == servers.addresses["api_url"]
    assert worker.environ()["PREFECT_HOME"].startswith(os.fspath(servers.project.root))
