"""What to launch, and where its files lie."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.domain.errors import PreconditionError, StudyError

DEPLOYMENT_FILE = Path("deploy/prefect.yaml")
SERVICES = ("generator", "classifier", "evaluator", "retrieval")


class LaunchError(StudyError):
    """Something that a study needs did not start, or ended too early."""

    reason = "LAUNCH"


def service_commands() -> dict[str, tuple[str, ...]]:
    """Return the command of each service."""
    return {name: (sys.executable, "-m", f"services.{name}") for name in SERVICES}


@dataclass(frozen=True, slots=True)
class Settings:
    """One launch.

    Attributes:
        root: The project's folder; state goes to `.synthtrial` and results to `results` in it,
            unless SYNTHTRIAL_STATE, SYNTHTRIAL_STORE or SYNTHTRIAL_RESULTS name other folders.
        design: The name of a design or the path of its file.
        prefect_url: The API of a Prefect server somebody else runs; empty starts one.
        services: Name → command, each listening where `LISTEN` says.
        prefect: Prefect's command line.
        prefect_port: The port to try first.
        service_port: The port to try first for the first service; the others follow.
        worker_restarts: How often a worker that died is started again; a run dies with its worker.
    """

    root: Path
    design: str = "full"
    profile: str = "embedded"
    prefect_url: str = ""
    services: Mapping[str, tuple[str, ...]] = field(default_factory=service_commands)
    prefect: tuple[str, ...] = (sys.executable, "-m", "prefect", "--no-prompt")
    prefect_port: int = 4200
    service_port: int = 50051
    worker_restarts: int = 0

    @property
    def state(self) -> Path:
        return _folder("SYNTHTRIAL_STATE", self.root / ".synthtrial")

    @property
    def store(self) -> Path:
        return _folder("SYNTHTRIAL_STORE", self.state / "store")

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def servers_lock(self) -> Path:
        """Held by whoever runs the servers."""
        return self.state / "servers.lock"

    @property
    def study_lock(self) -> Path:
        """Held by whoever watches a study."""
        return self.state / "study.lock"

    @property
    def results(self) -> Path:
        return _folder("SYNTHTRIAL_RESULTS", self.root / "results")

    @property
    def report(self) -> Path:
        return self.results / "latest" / "report.html"

    @property
    def deployed_file(self) -> Path:
        """Beside the database that it speaks of."""
        return self.state / "prefect" / "deployed"

    @property
    def servers_file(self) -> Path:
        """Where `up` says what it runs."""
        return self.state / "servers.json"

    @property
    def deployment(self) -> str:
        return "study/smoke" if self.design == "smoke" else "study/full"

    @property
    def pool(self) -> str:
        # Somebody else's server may have a pool of the common name.
        return f"synthtrial-{self.root.name}" if self.prefect_url else "local"


def _folder(variable: str, default: Path) -> Path:
    return Path(os.environ.get(variable) or default).absolute()


def find_root(start: Path | None = None) -> Path:
    """Return the project's folder: the working one, one above it, or the one this module lies in.

    Raises:
        PreconditionError: None of them holds `deploy/prefect.yaml`.
    """
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents, Path(__file__).absolute().parents[2]):
        if (folder / DEPLOYMENT_FILE).is_file():
            return folder
    raise PreconditionError(
        f"{here} is not in a synthtrial project: no {DEPLOYMENT_FILE}; change to its folder"
    )
