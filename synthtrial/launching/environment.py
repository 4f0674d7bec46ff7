"""The environment of everything the supervisor starts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from synthtrial.launching.settings import Settings

MARK_VARIABLE = "SYNTHTRIAL_SUPERVISION"
ROLE_VARIABLE = "SYNTHTRIAL_ROLE"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where things listen: Prefect's API, and `host:port` of each service."""

    api_url: str
    services: Mapping[str, str]


def address_variable(service: str) -> str:
    """Return the variable that tells the flow where a service listens."""
    return f"SYNTHTRIAL_{service.upper()}"


def cores() -> int:
    """Return the processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def base_environment(settings: Settings, addresses: Addresses, mark: str) -> dict[str, str]:
    """Return what all children share; nothing of the user's own Prefect gets through."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return (
        inherited
        | _prefect(settings, addresses.api_url)
        | {address_variable(name): address for name, address in addresses.services.items()}
        | {
            MARK_VARIABLE: mark,
            "SYNTHTRIAL_STORE": str(settings.store),
            "SYNTHTRIAL_ROOT": str(settings.root),
            "SYNTHTRIAL_STATE": str(settings.state),
            "SYNTHTRIAL_RESULTS": str(settings.results),
            "SYNTHTRIAL_POOL": settings.pool,
            "PYTHONPATH": _python_path(settings.root),
            "PYTHONUNBUFFERED": "1",
            "DO_NOT_TRACK": "1",
            **_threads(cores()),
        }
    )


def service_environment(base: Mapping[str, str], name: str, address: str) -> dict[str, str]:
    """Return the environment of one service."""
    return {**base, ROLE_VARIABLE: name, "LISTEN": address, "SYNTHTRIAL_GRACE_SECONDS": "3"}


def _prefect(settings: Settings, api_url: str) -> dict[str, str]:
    home = settings.state / "prefect"
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_PROFILES_PATH": str(home / "profiles.toml"),
        "PREFECT_UI_STATIC_DIRECTORY": str(home / "ui"),
        "PREFECT_API_URL": api_url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
        "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
        # A missing server must fail loudly, not start a hidden one.
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
        "PREFECT_CLI_PROMPT": "false",
        "PREFECT_CLI_COLORS": "false",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }


def _python_path(root: Path) -> str:
    return os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH", ""))))


def _threads(budget: int) -> dict[str, str]:
    """Stages run one after another, so each service may use the whole budget when its turn comes.

    It is spent on single-threaded workers side by side: numbers then never
    depend on a thread count.
    """
    single = (
        "SYNTHTRIAL_THREADS",
        "OMP_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
    )
    return {"SYNTHTRIAL_WORKERS": str(budget)} | dict.fromkeys(single, "1")
