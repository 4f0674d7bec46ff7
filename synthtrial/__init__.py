"""Controlled trials of synthetic training data.

    synthtrial.audit(...)    what one synthetic file is worth, without servers
    synthtrial.plan(...)     what a study would run
    synthtrial.trace(...)    from a number to the documents behind it
    synthtrial.connect()     clients of the services that are up

Nothing is imported before one of these is first used.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthtrial.audit import audit
    from synthtrial.connecting import connect
    from synthtrial.planning import plan
    from synthtrial.tracing import trace

__all__ = ["audit", "connect", "plan", "trace"]

_HOMES = {
    "audit": "synthtrial.audit",
    "connect": "synthtrial.connecting",
    "plan": "synthtrial.planning",
    "trace": "synthtrial.tracing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'synthtrial' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


class _FrontDoor(ModuleType):
    """Keeps `synthtrial.audit` the function: importing the module of that name would replace it."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _FrontDoor
