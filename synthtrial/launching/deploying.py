"""Telling Prefect's server about the study, when it does not know already.

Deploying imports the flow, which takes as long as booting the server does.
"""

from importlib.metadata import version

from services.domain.digest import canonical_json, sha256_hex
from synthtrial.launching.prefect_api import PrefectApi
from synthtrial.launching.settings import DEPLOYMENT_FILE, Settings

DEPLOYMENTS = ("study/full", "study/smoke")
# The server stores the parameters' schema, which is read off the flow's signature.
FLOW_FILE = "flows/study.py"


def is_deployed(settings: Settings, api: PrefectApi) -> bool:
    """Say whether the server has our deployments as they would be made now."""
    if settings.prefect_url:
        return False  # others may have replaced them
    try:
        same = settings.deployed_file.read_text() == _fingerprint(settings)
    except FileNotFoundError:
        return False
    return same and all(api.has_deployment(name) for name in DEPLOYMENTS)


def note_deployed(settings: Settings) -> None:
    """Remember what was deployed."""
    settings.deployed_file.parent.mkdir(parents=True, exist_ok=True)
    settings.deployed_file.write_text(_fingerprint(settings))


def _fingerprint(settings: Settings) -> str:
    parts = {
        "file": sha256_hex((settings.root / DEPLOYMENT_FILE).read_bytes()),
        "flow": sha256_hex((settings.root / FLOW_FILE).read_bytes()),
        "root": str(settings.root),
        "pool": settings.pool,
        "prefect": version("prefect"),
    }
    return sha256_hex(canonical_json(parts))
