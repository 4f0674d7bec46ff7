"""Imported by every Python process that has this folder on its path: writes down each link it makes.

Links are how keys are published, so the log says who computed what, and whose answer stands.
"""

import os
from typing import Any

_LOG = os.environ.get("FAULTS_LINK_LOG", "")
_link: Any = os.link


def _logged(source: Any, target: Any) -> None:
    won = False
    try:
        _link(source, target)
        won = True
    finally:
        descriptor = os.open(_LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{os.getpid()} {int(won)} {os.path.basename(target)}\n".encode())
        os.close(descriptor)


if _LOG:
    os.link = _logged  # type: ignore[assignment]
