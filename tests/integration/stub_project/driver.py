"""Runs the real supervisor over the stubs beside this file: `driver.py study|serve fake|real PORT`."""

import sys
from pathlib import Path

from synthtrial import launch
from synthtrial.launching.daemon import serve
from synthtrial.launching.settings import Settings

HERE = Path(__file__).absolute().parent
NAMES = ("generator", "evaluator")


def main(command: str, prefect: str, port: str) -> int:
    """Return the supervisor's exit code."""
    settings = Settings(
        HERE,
        services={name: (sys.executable, str(HERE / "service.py")) for name in NAMES},
        prefect=(sys.executable, str(HERE / "fake_prefect.py"))
        if prefect == "fake"
        else Settings(HERE).prefect,
        prefect_port=int(port),
        service_port=int(port) + 1,
    )
    if command == "study":
        return launch.guarded(lambda: launch.study(settings))
    return launch.guarded(lambda: serve(settings))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
