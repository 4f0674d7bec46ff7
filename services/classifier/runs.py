"""The record of training runs: one small file each, in the store, so that any replica answers."""

import json
import os
import socket
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from services.classifier.identifiers import require_digest
from services.domain.artifact import ArtifactRef
from services.domain.digest import canonical_json
from services.domain.errors import NotFoundError, StudyError
from services.storage import files
from services.storage.store import Store

LEASE_SECONDS = 10.0


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A run as it stands.

    Args:
        id: Digest of its specification.
        state: Where it stands.
        done: Plans finished, those found in the store included.
        total: Plans in all; 0 until the worker has counted them.
        results: One per plan, in order, once it has succeeded.
        error_reason: For a program; empty unless it failed.
        error_message: For a person.
        error_metadata: The varying parts of the message.
        version: Of the algorithms; results of another one are not this run's.
        owner: Who trains it, as `new_owner` says.
        renewed: When the owner last renewed its lease, in seconds since 1970; 0 gives it up.
    """

    id: str
    state: RunState
    done: int = 0
    total: int = 0
    results: tuple[ArtifactRef, ...] = ()
    error_reason: str = ""
    error_message: str = ""
    error_metadata: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    owner: str = ""
    renewed: float = 0.0

    def stale(self, now: float) -> bool:
        """Say whether a run that has not ended has nobody who trains it."""
        # A clock that was set back leaves renewals in the future, which nobody will make either.
        return not self.state.ended and (abs(now - self.renewed) > LEASE_SECONDS or _has_died(self.owner))

    def failed(self, error: StudyError) -> "TrainingRun":
        """Return the run after an error."""
        return replace(
            self,
            state=RunState.FAILED,
            error_reason=error.reason,
            error_message=error.message,
            error_metadata=dict(error.metadata),
        )

    def seen(self) -> "TrainingRun":
        """Return what a watcher is told about: everything but the lease."""
        return replace(self, owner="", renewed=0.0)


def new_owner() -> str:
    """Return a name for one supervisor of this process: "host/pid/…"."""
    return f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex}"


class RunRecord:
    """Reads and writes `runs/<run id>.json`, atomically.

    A request to cancel is a file of its own: its writer need not be the owner,
    who would otherwise overwrite it with the next progress.
    """

    def __init__(self, store: Store) -> None:
        self._folder = store.root / "runs"

    def find(self, run_id: str) -> TrainingRun | None:
        """Return a run, or None when there is none.

        Raises:
            InvalidInputError: No run can have this identifier.
        """
        require_digest(run_id, "id")
        try:
            value = json.loads(self._path(run_id).read_bytes())
        except FileNotFoundError:
            return None
        results = tuple(ArtifactRef.stored(r["sha256"], r["row_count"]) for r in value.pop("results"))
        return TrainingRun(**{**value, "state": RunState(value["state"]), "results": results})

    def get(self, run_id: str) -> TrainingRun:
        """Return a run.

        Raises:
            InvalidInputError: No run can have this identifier.
            NotFoundError: There is none.
        """
        run = self.find(run_id)
        if run is None:
            raise NotFoundError(f"no training run {run_id!r}; create it from its specification", name=run_id)
        return run

    def write(self, run: TrainingRun) -> TrainingRun:
        """Write a run and renew its lease."""
        renewed = replace(run, renewed=time.time())
        self._put(renewed)
        return renewed

    def release(self, run: TrainingRun) -> None:
        """Queue a run again without an owner, so that the next Create starts it at once."""
        self._put(replace(run, state=RunState.QUEUED, owner="", renewed=0.0))

    def ask_to_cancel(self, run_id: str) -> None:
        """Leave a request for the run's owner."""
        files.publish_once(self._request(run_id), b"")

    def asked_to_cancel(self, run_id: str) -> bool:
        return self._request(run_id).exists()

    def forget_request(self, run_id: str) -> None:
        # A read-only disk refuses to delete even what is not there.
        if self._request(run_id).exists():
            self._request(run_id).unlink(missing_ok=True)

    def _put(self, run: TrainingRun) -> None:
        value: dict[str, Any] = asdict(run)
        files.replace(self._path(run.id), canonical_json(value))

    def _path(self, run_id: str) -> Path:
        return self._folder / f"{run_id}.json"

    def _request(self, run_id: str) -> Path:
        return self._folder / f"{run_id}.cancel"


def _has_died(owner: str) -> bool:
    # A killed service on this machine need not be waited for until its lease ends.
    host, _, rest = owner.partition("/")
    pid = rest.partition("/")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
