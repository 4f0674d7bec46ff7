"""The command `synthtrial`: one front door for everything, each room opened only when it is asked for."""

import os
import sys
from typing import TYPE_CHECKING

from flows.shipped import shipped_names
from services.domain.errors import StudyError
from synthtrial.arguments import Arguments, unknown

if TYPE_CHECKING:
    from synthtrial.launching.settings import Settings

USAGE = """usage: synthtrial COMMAND ...

  audit   what one or more synthetic files are worth: verdict, worth in real documents, leaks
  study   run a study from nothing to its report
  plan    list what a study would run, and how many texts it would embed
  trace   walk from a number or a cell to its plan, predictions and documents
  export  write the synthetic documents of a study as a dataset with a card
  up      start the services, Prefect's server and worker, and leave them running
  down    stop them
  gc      delete stored objects that nothing leads to; only lists them unless told otherwise

synthtrial COMMAND --help says more."""

LAUNCHES = ("study", "up", "serve", "down")
OFFERED = ("audit", "study", "plan", "trace", "export", "up", "down", "gc")


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 after an error, 2 for a command line that makes no sense."""
    given = sys.argv[1:] if arguments is None else arguments
    command, rest = (given[0], given[1:]) if given else ("--help", [])
    if command in LAUNCHES:
        from synthtrial import launch

        return launch.main([command, *rest])
    if command == "audit":
        from synthtrial.audit import main as audit

        return audit(rest)
    if command in _COMMANDS:
        return _guarded(command, rest)
    if command in ("-h", "--help"):
        print(USAGE)
        return 0
    print(f"Error: {unknown('command', command, OFFERED)}\n\n{USAGE}", file=sys.stderr)
    return 2


def _guarded(command: str, rest: list[str]) -> int:
    try:
        _COMMANDS[command](rest)
    except StudyError as error:
        print(f"Error: {error.message}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read has seen enough; what is buffered must not fail once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 0


def _plan(arguments: list[str]) -> None:
    designs = ", ".join(shipped_names("designs"))
    parser = Arguments(prog="synthtrial plan", description="List what a study would run.")
    parser.add_argument("design", nargs="?", default="full", help=f"{designs}, or the path of a .toml file")
    parser.add_argument("--profile", default="embedded", help="what stands behind the generators' names")
    parser.add_argument("--cells", action="store_true", help="list every cell")
    options = parser.parse_args(arguments)
    from synthtrial.planning import plan

    _project()
    planned = plan(options.design, options.profile)
    if options.cells:
        print(planned.table().to_string(index=False))
    print("\n".join(planned.summary()))


def _trace(arguments: list[str]) -> None:
    parser = Arguments(prog="synthtrial trace", description="Walk from a number to its documents.")
    parser.add_argument("what", help="a cell's id, the beginning of one, or a measured value")
    parser.add_argument("--results", help="the folder of a study's tables (default: the latest)")
    parser.add_argument("--profile", default="embedded", help="the profile it ran with")
    options = parser.parse_args(arguments)
    from synthtrial.tracing import trace

    settings = _project()
    results = options.results or settings.results / "latest"
    print(trace(options.what, results, options.profile).text())


def _export(arguments: list[str]) -> None:
    parser = Arguments(prog="synthtrial export", description="Write a generator's documents as a dataset.")
    parser.add_argument("--generator", required=True, help="a generator of the study")
    parser.add_argument("--to", required=True, help="the folder to make")
    parser.add_argument("--results", help="the folder of a study's tables (default: the latest)")
    parser.add_argument(
        "--language", action="append", default=[], help="for the card, such as en; repeatable"
    )
    options = parser.parse_args(arguments)
    from synthtrial.exporting import export

    settings = _project()
    results = options.results or settings.results / "latest"
    print(export(options.generator, options.to, results, languages=options.language).text())


def _gc(arguments: list[str]) -> None:
    parser = Arguments(prog="synthtrial gc", description="Find stored objects that nothing leads to.")
    parser.add_argument("--delete", action="store_true", help="delete them; without it they are only listed")
    parser.add_argument(
        "--hours", type=float, default=24.0, help="spare objects younger than this (default: 24)"
    )
    options = parser.parse_args(arguments)
    from services.storage.store import Store
    from synthtrial.collecting import delete, find_garbage

    results = _project().results
    garbage = find_garbage(Store.from_environment(), results, options.hours * 3600)
    if options.delete:
        delete(garbage)
    else:
        print("\n".join(map(str, garbage.files)), end="\n" if garbage.files else "")
    done = "deleted" if options.delete else "could be deleted (--delete does it)"
    print(
        f"{len(garbage.files)} files, {garbage.bytes / 1e6:.1f} MB {done}; {garbage.kept_count} objects stay"
    )


def _project() -> "Settings":
    """Find store and results where a study leaves them, from anywhere inside the project."""
    from synthtrial.launching.settings import Settings, find_root

    settings = Settings(find_root())
    os.environ["SYNTHTRIAL_STORE"] = str(settings.store)
    os.environ["SYNTHTRIAL_STATE"] = str(settings.state)
    return settings


_COMMANDS = {"plan": _plan, "trace": _trace, "export": _export, "gc": _gc}

if __name__ == "__main__":
    sys.exit(main())
