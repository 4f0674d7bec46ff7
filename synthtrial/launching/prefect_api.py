"""The few calls to Prefect's API that a launch needs, without importing Prefect (two seconds, 80 MB)."""

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

UNFINISHED = ("RUNNING", "PENDING", "CANCELLING", "SCHEDULED", "PAUSED")
FINAL = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
CALL_SECONDS = 10.0
# What it says while its database is locked.
BUSY = 503
BUSY_PAUSES_SECONDS = (0.2, 0.5, 1.0, 2.0)

# The user's proxy settings are not meant for a server on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class RunState:
    """A flow run as the server sees it."""

    id: str
    type: str
    message: str

    @property
    def is_final(self) -> bool:
        return self.type in FINAL


class PrefectApi:
    """A Prefect server; every call raises OSError while it does not answer."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def is_healthy(self) -> bool:
        """Say whether the server answers."""
        try:
            return self.call("/health") is True
        except OSError:
            return False

    def create_pool(self, name: str) -> None:
        """Create a pool for local processes unless there is one of this name."""
        try:
            self.call("/work_pools/", {"name": name, "type": "process"})
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise

    def sweep(self) -> int:
        """Set every run that nobody can be working on to Crashed and return how many there were.

        Only for a server of ours that was just started: after a power cut its old
        runs call themselves running for ever.
        """
        swept = 0
        while stale := [run for run in self._unfinished() if _is_due(run)]:
            for run in stale:
                self._set_state(run["id"], "CRASHED", "left over from an earlier launch")
            swept += len(stale)
        return swept

    def has_deployment(self, name: str) -> bool:
        """Say whether there is a deployment `flow/name`."""
        try:
            self.call(f"/deployments/name/{name}")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return False
        return True

    def find_run(self, name: str) -> RunState | None:
        """Return the flow run of this name."""
        found = self.call("/flow_runs/filter", {"flow_runs": {"name": {"any_": [name]}}, "limit": 1})
        return _state(found[0]) if found else None

    def run(self, run_id: str) -> RunState:
        """Return a flow run."""
        return _state(self.call(f"/flow_runs/{run_id}"))

    def cancel(self, run_id: str) -> None:
        """Ask the worker to end a run."""
        self._set_state(run_id, "CANCELLING", "interrupted")

    def _unfinished(self) -> list[dict[str, Any]]:
        query = {"flow_runs": {"state": {"type": {"any_": list(UNFINISHED)}}}, "limit": 200}
        return list(self.call("/flow_runs/filter", query))

    def _set_state(self, run_id: str, kind: str, message: str) -> None:
        state = {"type": kind, "name": kind.capitalize(), "message": message}
        self.call(f"/flow_runs/{run_id}/set_state", {"state": state, "force": True})

    def call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Get a path, or post to it, and return the answer; a server that is merely busy is asked again."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        for pause in (*BUSY_PAUSES_SECONDS, None):
            try:
                with _OPENER.open(request, timeout=CALL_SECONDS) as answer:
                    return json.loads(answer.read() or b"null")
            except urllib.error.HTTPError as error:
                error.close()
                if error.code != BUSY or pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("unreachable")


def _is_due(run: dict[str, Any]) -> bool:
    """Leave alone what somebody planned for later."""
    start = run.get("next_scheduled_start_time")
    later = start and datetime.fromisoformat(start) > datetime.now(UTC)
    return not (run["state_type"] == "SCHEDULED" and later)


def _state(run: dict[str, Any]) -> RunState:
    return RunState(run["id"], run["state_type"] or "", (run.get("state") or {}).get("message") or "")
