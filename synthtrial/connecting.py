"""Clients of services that are up."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from services.domain.errors import PreconditionError
from synthtrial.launching.daemon import running
from synthtrial.launching.environment import address_variable
from synthtrial.launching.settings import SERVICES, Settings, find_root

if TYPE_CHECKING:
    from flows.endpoints import Clients


def connect(addresses: Mapping[str, str] | None = None, root: Path | None = None) -> "Clients":
    """Return one client per service.

    Args:
        addresses: By service. What is left out comes from `SYNTHTRIAL_<SERVICE>`, then from `synthtrial up`.
        root: The project's folder; default: around the working directory.

    Raises:
        PreconditionError: A service's address is not known.
    """
    from flows.endpoints import connect as clients

    return clients(_addresses(addresses or {}, root))


def _addresses(given: Mapping[str, str], root: Path | None) -> dict[str, str]:
    set_in_environment = {name: os.environ.get(address_variable(name), "") for name in SERVICES}
    known = {name: given.get(name) or set_in_environment[name] for name in SERVICES}
    if all(known.values()):
        return known
    up = running(Settings(find_root(root)))
    known = {name: known[name] or (up.addresses.services.get(name, "") if up else "") for name in SERVICES}
    missing = [name for name, address in known.items() if not address]
    if missing:
        raise PreconditionError(
            f"no address for {', '.join(missing)}: start the services with `synthtrial up`, or set "
            f"{', '.join(address_variable(name) for name in missing)}"
        )
    return known
