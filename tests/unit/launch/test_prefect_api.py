import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from synthtrial.launching.prefect_api import PrefectApi


class FakeServer(HTTPServer):
    """Keeps flow runs as the real server answers them."""

    runs: dict[str, dict[str, Any]]
    busy: int = 0


class Handler(BaseHTTPRequestHandler):
    server: FakeServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.busy:
            self.server.busy -= 1
            self.send_error(503)
        elif self.path == "/work_pools/":
            self.send_error(409)
        elif self.path.endswith("/set_state"):
            self.server.runs[self.path.split("/")[2]] |= {"state_type": body["state"]["type"]}
            self._answer({})
        else:
            wanted = body["flow_runs"]["state"]["type"]["any_"]
            self._answer([run for run in self.server.runs.values() if run["state_type"] in wanted])

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def _answer(self, value: object) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())


@pytest.fixture
def server() -> Iterator[FakeServer]:
    server = FakeServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def api(server: FakeServer) -> PrefectApi:
    return PrefectApi(f"http://127.0.0.1:{server.server_port}")


def run(name: str, state: str, start: datetime | None = None) -> dict[str, Any]:
    when = start and start.isoformat().replace("+00:00", "Z")
    return {"id": name, "state_type": state, "next_scheduled_start_time": when}


def test_the_sweep_spares_what_is_final_or_planned_for_later(server: FakeServer) -> None:
    now = datetime.now(UTC)
    server.runs = {
        "running": run("running", "RUNNING"),
        "late": run("late", "SCHEDULED", now - timedelta(minutes=5)),
        "tomorrow": run("tomorrow", "SCHEDULED", now + timedelta(days=1)),
        "done": run("done", "COMPLETED"),
    }

    assert api(server).sweep() == 2

    states = {name: found["state_type"] for name, found in server.runs.items()}
    assert states == {"running": "CRASHED", "late": "CRASHED", "tomorrow": "SCHEDULED", "done": "COMPLETED"}


def test_a_busy_server_is_asked_again(server: FakeServer) -> None:
    server.runs = {}
    server.busy = 2
    assert api(server).sweep() == 0


def test_a_pool_that_exists_is_fine(server: FakeServer) -> None:
    api(server).create_pool("local")


def test_nothing_there_is_not_healthy() -> None:
    assert not PrefectApi("http://127.0.0.1:9").is_healthy()


def test_an_unknown_deployment_is_not_there(server: FakeServer) -> None:
    assert not api(server).has_deployment("study/full")
