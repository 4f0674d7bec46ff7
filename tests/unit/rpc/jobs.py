"""Jobs for the worker tests."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from services.domain.environment import PLACE_VARIABLE
from services.domain.errors import InvalidInputError

Report = Callable[[dict[str, Any]], None]


def echo(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    environment = {"threads": os.environ["OMP_NUM_THREADS"], "place": os.environ[PLACE_VARIABLE]}
    return {"got": payload, "pid": os.getpid(), **environment}


def count(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    for step in range(payload["steps"]):
        report({"done": step + 1})
    return {}


def sleep(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    report({"pid": os.getpid(), "place": os.environ[PLACE_VARIABLE]})
    time.sleep(payload["seconds"])
    return {}


def refuse(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    raise InvalidInputError("not like this", field="payload")


def fail(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    raise RuntimeError("a bug")


def die(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def talk(payload: dict[str, Any], report: Report) -> dict[str, Any]:
    print("a library prints")
    return {"big": b"x" * (8 << 20)}
