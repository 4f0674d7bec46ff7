"""The supervisor: `python -m synthtrial.launch study|up|down`.

`study` brings up Prefect's server and worker and the four services, runs the
deployment, shows how far it is, and takes everything down again, also after
Ctrl-C, a failure, or its own sudden death. With servers `up` it uses those.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from flows.shipped import shipped_names
from services.domain.errors import StudyError
from synthtrial.arguments import Arguments
from synthtrial.launching.children import RESTARTS
from synthtrial.launching.daemon import SERVERS, attachable, down, serve, up
from synthtrial.launching.environment import Addresses
from synthtrial.launching.exclusive import exclusive
from synthtrial.launching.following import checked, run_study
from synthtrial.launching.progress import Display, as_duration, display
from synthtrial.launching.settings import LaunchError, Settings, find_root
from synthtrial.launching.stack import Interrupted, Stack, attached, supervised

# What `prefect.toml` says, which every `prefect` command reads in the project's folder.
COMMITTED_API_URL = "http://127.0.0.1:4200/api"
API_URL_VARIABLE = "PREFECT_API_URL"


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit code: 0, 1 after an error, 128 + n after signal n."""
    options = _parser().parse_args(arguments)
    return guarded(lambda: _run(options))


def guarded(action: Callable[[], None]) -> int:
    """Do something and turn the ways it can end into exit codes and one message."""
    try:
        action()
    except StudyError as error:
        _print(f"Error: {error.message}", sys.stderr)
        return 1
    except (KeyboardInterrupt, Interrupted) as error:
        _print("Interrupted. What is finished is kept: the same command goes on from there.", sys.stderr)
        return error.exit_code if isinstance(error, Interrupted) else 130
    return 0


def study(settings: Settings, keep_running: bool = False) -> None:
    """Run a study from nothing to its report.

    Args:
        settings: What to run.
        keep_running: Start servers that stay, as `up` does, and leave them.

    Raises:
        StudyError: It did not complete; everything is down again.
        Interrupted: A signal arrived; everything is down again.
    """
    started = time.monotonic()
    with exclusive(settings.study_lock, "a study"):
        if keep_running:
            up(settings)
        with closing(display()) as bar, _servers(settings, bar) as stack:
            ready = time.monotonic()
            run_study(stack, bar)
            ran = time.monotonic() - ready
            bar.doing("stopping")
    _summarise(settings, time.monotonic() - started, ran)


@contextmanager
def _servers(settings: Settings, bar: Display) -> Iterator[Stack]:
    found = attachable(settings)
    if found is not None:
        bar.say(f"using the servers that are up: Prefect {found.addresses.api_url}")
        with attached(settings, found.addresses, bar) as stack:
            yield stack
        return
    with exclusive(settings.servers_lock, SERVERS):
        bar.doing("starting Prefect and the services")
        with supervised(settings, bar) as stack:
            yield stack


def _summarise(settings: Settings, elapsed: float, ran: float) -> None:
    if not settings.report.is_file():
        raise LaunchError(f"the study completed but left no report at {settings.report}; see {settings.logs}")
    fixed = f"{as_duration(elapsed - ran)} of it to start and stop the servers"
    _print(f"Took {as_duration(elapsed)}, {fixed}; {_memory(settings)}")
    _print(f"Report: {_from(settings.root, settings.report)}")


def _memory(settings: Settings) -> str:
    try:
        record = json.loads((settings.state / "memory.json").read_text())
        return f"at most {record['peak_pss_bytes'] / 1e9:.1f} GB of memory"
    except (OSError, ValueError, KeyError):
        return "memory was not measured"


def _run(options: argparse.Namespace) -> None:
    settings = Settings(find_root(), prefect_url=getattr(options, "prefect_url", ""))
    match options.command:
        case "study":
            study(
                checked(replace(settings, design=options.design, profile=options.profile)),
                options.keep_running,
            )
        case "up":
            _explain(up(settings).addresses, settings)
        case "down":
            _print("stopped" if down(settings) else "nothing was up")
        case "serve":
            serve(replace(settings, worker_restarts=RESTARTS))


def _explain(addresses: Addresses, settings: Settings) -> None:
    _print("Up:")
    for name, address in addresses.services.items():
        _print(f"  {name:<12} {address}")
    _print(f"  {'Prefect':<12} {addresses.api_url.removesuffix('/api')}")
    for line in moved(addresses, settings):
        _print(line)
    _print(f"Run a study:  {run_command(addresses.api_url, settings.root)}")
    _print("or `synthtrial study`, which shows progress; stop everything: `synthtrial down`")


def moved(addresses: Addresses, settings: Settings) -> list[str]:
    """Return a line for every server that listens elsewhere than is written, its port having been taken."""
    wanted = {name: settings.service_port + place for place, name in enumerate(settings.services)}
    found = dict(addresses.services)
    if not settings.prefect_url:
        wanted, found = {"Prefect": settings.prefect_port, **wanted}, {"Prefect": addresses.api_url, **found}
    ports = {
        name: int(found[name].removesuffix("/api").rpartition(":")[2]) for name in wanted if name in found
    }
    return [
        f"Port {wanted[name]} was taken, so {name} listens on {port}"
        for name, port in ports.items()
        if port != wanted[name]
    ]


def run_command(api_url: str, root: Path) -> str:
    """Return a command that reaches this server from the working folder."""
    prefect = Path(sys.executable).with_name("prefect")
    command = f"{_from(Path.cwd(), prefect)} deployment run study/full"
    if Path.cwd() == root and api_url == COMMITTED_API_URL and API_URL_VARIABLE not in os.environ:
        return command
    return f"{API_URL_VARIABLE}={api_url} {command}"


def _from(folder: Path, path: Path) -> Path:
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def _print(line: str, stream: TextIO | None = None) -> None:
    # The terminal may be gone; what remains to be done matters more than saying so.
    with suppress(OSError):
        print(line, file=stream or sys.stdout, flush=True)


def _parser() -> argparse.ArgumentParser:
    designs = ", ".join(shipped_names("designs"))
    parser = Arguments(prog="synthtrial", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    of_study = commands.add_parser("study", help="run a study from nothing to its report")
    of_study.add_argument("--design", default="full", help=f"{designs}, or the path of a .toml file")
    of_study.add_argument("--profile", default="embedded", help="what stands behind the generators' names")
    of_study.add_argument("--keep-running", action="store_true", help="leave the servers up afterwards")
    of_up = commands.add_parser("up", help="start the services, Prefect's server and worker, and leave them")
    of_serve = commands.add_parser("serve", help="the same in the foreground")
    for command in (of_study, of_up, of_serve):
        command.add_argument(
            "--prefect-url", default="", help="API of a Prefect server to use instead of an own one"
        )
    commands.add_parser("down", help="stop what `up` started")
    return parser


if __name__ == "__main__":
    sys.exit(main())
