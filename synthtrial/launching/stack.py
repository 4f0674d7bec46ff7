"""Everything a study needs, brought up and taken down again: Prefect's server and worker, four services."""

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from synthtrial.launching.children import RESTARTS, Child, Children, start_guardian
from synthtrial.launching.deploying import is_deployed, note_deployed
from synthtrial.launching.environment import Addresses, base_environment, service_environment
from synthtrial.launching.memory import MemorySampler
from synthtrial.launching.ports import LOOPBACK, Promises
from synthtrial.launching.prefect_api import PrefectApi
from synthtrial.launching.processes import SERVER, WORKER, adopt_orphans, listens, tear_down
from synthtrial.launching.progress import Display
from synthtrial.launching.settings import DEPLOYMENT_FILE, Settings

STARTUP_SECONDS = 180.0
GRACE_SECONDS = 10.0

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody asked this process to end; not an Exception, so that no handler of errors keeps it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


class Stack:
    """Running servers; `addresses` says where."""

    def __init__(self, settings: Settings, display: Display, addresses: Addresses | None = None) -> None:
        self._display = display
        self.settings = settings
        self.mark = uuid.uuid4().hex
        self.is_attached = addresses is not None
        self.ports = Promises()
        self.addresses = addresses or _choose_addresses(settings, self.ports)
        self.api = PrefectApi(self.addresses.api_url)
        self.memory = MemorySampler(settings.state / "memory.json")
        self.environment = base_environment(settings, self.addresses, self.mark)
        self.children = Children(settings.root, self.environment, settings.logs)
        self._server: Child | None = None
        self.children.on_restart = display.say
        self.children.on_tick = self._tick

    def bring_up(self) -> None:
        """Start everything; the slow part, Prefect's server, boots beside the services.

        Raises:
            LaunchError: Something did not start.
            BackendUnavailableError: The Prefect server to be used does not answer.
        """
        self._display.say(self._where())
        if not self.settings.prefect_url:
            self._start_server()
        self._start_services()
        health = self.children.start_once("health", self._health_command())
        self.children.wait(self._is_healthy, STARTUP_SECONDS, f"Prefect at {self.api.url}")
        self.api.create_pool(self.settings.pool)
        self._sweep()
        self._start_worker()
        self._deploy()
        self.children.finish(health, STARTUP_SECONDS)

    def run_once(self, role: str, *arguments: str) -> Child:
        """Run a `prefect` command to its end."""
        child = self.children.start_once(role, self._prefect(*arguments))
        self.children.finish(child, STARTUP_SECONDS)
        return child

    def cancel(self, run_id: str) -> None:
        """Ask for the end of a run whose worker stays alive; others end with their worker."""
        if self.is_attached:
            with suppress(OSError):
                self.api.cancel(run_id)

    def _deploy(self) -> None:
        if not is_deployed(self.settings, self.api):
            self.run_once("deploy", "deploy", "--all", "--prefect-file", str(DEPLOYMENT_FILE))
            note_deployed(self.settings)

    def _tick(self) -> None:
        if not self.is_attached:
            # Else whoever started the servers measures: they are not below this process.
            self.memory.sample_when_due()
        self._display.refresh()

    def _start_server(self) -> None:
        command = self._prefect("server", "start", "--host", LOOPBACK, "--port", str(self._server_port()))
        self._server = self.children.start(SERVER, command, restarts=RESTARTS)

    def _server_port(self) -> int:
        return int(self.addresses.api_url.rsplit(":", 1)[1].removesuffix("/api"))

    def _is_healthy(self) -> bool:
        """Say whether the server answers, and where it is to be ours, that nobody else's does in its place."""
        if not self.api.is_healthy():
            return False
        process = self._server.process if self._server else None
        return process is None or listens(process.pid, self._server_port())

    def _start_services(self) -> None:
        for name, command in self.settings.services.items():
            extra = service_environment({}, name, self.addresses.services[name])
            self.children.start(name, command, restarts=RESTARTS, **extra)

    def _start_worker(self) -> None:
        # One run at a time: there is one set of services.
        arguments = ("worker", "start", "--pool", self.settings.pool, "--type", "process", "--limit", "1")
        self.children.start(WORKER, self._prefect(*arguments), restarts=self.settings.worker_restarts)

    def _where(self) -> str:
        services = ", ".join(f"{name} {address}" for name, address in self.addresses.services.items())
        return f"Prefect {self.addresses.api_url.removesuffix('/api')}, {services}"

    def _prefect(self, *arguments: str) -> tuple[str, ...]:
        return (*self.settings.prefect, *arguments)

    def _health_command(self) -> tuple[str, ...]:
        module = "synthtrial.launching.health"
        return (sys.executable, "-m", module, str(STARTUP_SECONDS), *self.addresses.services.values())

    def _sweep(self) -> None:
        if self.settings.prefect_url:
            return  # somebody else's runs
        swept = self.api.sweep()
        if swept:
            self._display.say(f"{swept} run(s) left over from an earlier launch set to Crashed")


@contextmanager
def supervised(settings: Settings, display: Display) -> Iterator[Stack]:
    """Bring everything up, and take it down again however the block ends.

    Raises:
        Interrupted: A signal arrived; everything is down when it leaves the block.
    """
    stack = Stack(settings, display)
    with _taken_down(stack):
        stack.bring_up()
        yield stack


@contextmanager
def attached(settings: Settings, addresses: Addresses, display: Display) -> Iterator[Stack]:
    """Use servers that run already and leave them running."""
    stack = Stack(settings, display, addresses)
    with _taken_down(stack):
        yield stack


@contextmanager
def _taken_down(stack: Stack) -> Iterator[None]:
    adopt_orphans()
    for number in SIGNALS:
        # SIGINT too: a shell starts background processes with it ignored.
        signal.signal(number, _interrupt)
    guardian = start_guardian(stack.mark, stack.settings.root)
    try:
        yield
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        tear_down(stack.mark, GRACE_SECONDS)
        stack.ports.close()
        _dismiss(guardian)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted(number)


def _dismiss(guardian: subprocess.Popen[bytes]) -> None:
    if guardian.stdin is not None:
        guardian.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        guardian.wait(5)


def _choose_addresses(settings: Settings, ports: Promises) -> Addresses:
    found = {
        name: f"{LOOPBACK}:{ports.choose(settings.service_port + offset)}"
        for offset, name in enumerate(settings.services)
    }
    if settings.prefect_url:
        return Addresses(settings.prefect_url, found)
    return Addresses(f"http://{LOOPBACK}:{ports.choose(settings.prefect_port)}/api", found)
