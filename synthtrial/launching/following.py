"""One flow run: created, watched to its end, judged."""

import json
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from services.storage.errors import require_writable
from synthtrial.launching.children import last_lines
from synthtrial.launching.prefect_api import PrefectApi, RunState
from synthtrial.launching.progress import Display, read_newest
from synthtrial.launching.settings import LaunchError, Settings
from synthtrial.launching.stack import Interrupted, Stack

POLL_SECONDS = 0.5
# A server that was started again needs this long.
SILENCE_SECONDS = 60.0

WORKER_LOG = "prefect-worker.log"


def run_study(stack: Stack, display: Display) -> RunState:
    """Run the study's deployment and return its final state.

    Raises:
        LaunchError: The run did not complete; the message says why and where its log is.
    """
    since = time.time()
    run = _create(stack)
    watch = _Watch(stack.api, run)
    folder = stack.settings.state / "progress"

    def ended() -> bool:
        display.show(read_newest(folder, since), time.time())
        return watch.poll().is_final

    display.doing("waiting for the worker")
    try:
        stack.children.wait(ended, float("inf"), "the study")
    except Interrupted:
        stack.cancel(run.id)
        raise
    if watch.last.type != "COMPLETED":
        raise _unsuccessful(watch.last, stack.settings)
    return watch.last


def _create(stack: Stack) -> RunState:
    settings = stack.settings
    # The name finds the run again; what the command prints is for people.
    name = f"{Path(settings.design).stem}-{uuid.uuid4().hex[:8]}"
    stack.run_once(
        "run",
        "deployment",
        "run",
        settings.deployment,
        "--flow-run-name",
        name,
        "--params",
        parameters(settings),
    )
    run = stack.api.find_run(name)
    if run is None:
        raise LaunchError(f"Prefect has no run {name}; see {settings.logs / 'run.log'}")
    return run


def parameters(settings: Settings) -> str:
    """Return the flow's parameters as JSON; the flow's working folder is the project's, so paths are absolute."""
    return json.dumps({"design": _name_or_path(settings.design), "profile": _name_or_path(settings.profile)})


def _name_or_path(given: str) -> str:
    return str(Path(given).absolute()) if given.endswith(".toml") else given


@dataclass(slots=True)
class _Watch:
    """Reads a run's state, at most every half second, through a server that may be away for a moment."""

    api: PrefectApi
    last: RunState
    next_poll: float = 0.0
    silent_since: float = 0.0

    def poll(self) -> RunState:
        now = time.monotonic()
        if now < self.next_poll:
            return self.last
        self.next_poll = now + POLL_SECONDS
        try:
            self.last = self.api.run(self.last.id)
            self.silent_since = 0.0
        except OSError as error:
            self.silent_since = self.silent_since or now
            if now - self.silent_since > SILENCE_SECONDS:
                raise LaunchError(f"Prefect at {self.api.url} no longer answers: {error}") from None
        return self.last


def _unsuccessful(run: RunState, settings: Settings) -> LaunchError:
    reason = run.message or "no reason given"
    if run.type == "CRASHED":
        # The process ended before Prefect could say why.
        reason += "\n" + last_lines(settings.logs / WORKER_LOG)
    return LaunchError(
        f"the study ended as {run.type.lower()}: {reason}\n"
        f"Logs: {settings.logs}. What is finished is kept: the same command goes on from there.",
        state=run.type,
    )


def checked(settings: Settings) -> Settings:
    """Return the settings if their design and profile can be read and their folders written, before all else.

    Raises:
        StudyError: What is wrong with them.
    """
    from flows.design import load_design, load_profile

    load_design(settings.design)
    load_profile(settings.profile)
    # A store that can only be read may lack nothing; what has to be written there says so by itself.
    new = [] if settings.store.is_dir() else [settings.store]
    for folder in (settings.state, settings.results, *new):
        require_writable(folder)
    return settings
