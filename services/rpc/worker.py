"""The process that computes: `python -m services.rpc.worker FD PARENT_PID`.

It takes one job at a time over a private socket pair and answers with any
number of progress messages and one result. It ends with its parent.
"""

import contextlib
import ctypes
import importlib
import os
import pickle
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.domain.errors import StudyError

HEADER_BYTES = 8
PR_SET_PDEATHSIG = 1
# Of 1000: where memory runs out, the kernel ends the worker whose job filled it and not the
# service, which has other calls to answer.
OOM_SCORE = 500
# Torch's allocator for the CPU has no exception of its own.
NO_MEMORY = ("can't allocate memory", "not enough memory")

Job = Callable[[dict[str, Any], Callable[[dict[str, Any]], None]], dict[str, Any]]


def die_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """Ask the kernel to end this process when its parent ends; Linux only.

    Args:
        parent: The process that has to be the parent; if it is gone already, exit.
        number: The signal to be sent.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        sys.exit("the parent process is gone")


def encode(message: tuple[str, Any]) -> bytes:
    """Return a message with its length in front.

    Pickle, because both ends are this package on one machine and the socket
    pair has no name: nobody else can write to it.
    """
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return len(body).to_bytes(HEADER_BYTES, "big") + body


def decode(body: bytes) -> tuple[str, Any]:
    """Return the message in a body."""
    kind, content = pickle.loads(body)
    return str(kind), content


def main(descriptor: int, parent: int) -> None:
    """Answer jobs until the other end closes."""
    die_with_parent(parent)
    _die_before_others()
    # A terminal's Ctrl-C is for the parent, which decides what happens to the work.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=descriptor) as pipe, pipe.makefile("rb") as stream:
        while header := stream.read(HEADER_BYTES):
            name, payload = decode(stream.read(int.from_bytes(header, "big")))
            pipe.sendall(encode(_answer(name, payload, pipe)))


def _answer(name: str, payload: dict[str, Any], pipe: socket.socket) -> tuple[str, Any]:
    def report(progress: dict[str, Any]) -> None:
        pipe.sendall(encode(("progress", progress)))

    try:
        return "result", _job(name)(payload, report)
    except StudyError as error:
        return "study_error", error
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the traceback goes to the parent's log
        if _lacks_memory(error):
            return "out_of_memory", f"{type(error).__name__}: {error}"
        return "failure", traceback.format_exc()


def _lacks_memory(error: BaseException) -> bool:
    allocator = isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY)
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or allocator


def _die_before_others() -> None:
    # Not where there is no such file, or none of ours to write.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE))


def _job(name: str) -> Job:
    module, _, function = name.partition(":")
    job: Job = getattr(importlib.import_module(module), function)
    return job


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
