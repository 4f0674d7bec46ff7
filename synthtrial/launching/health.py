"""Waits until services answer: `python -m synthtrial.launching.health SECONDS ADDRESS...`.

A process of its own, because gRPC's threads and the supervisor's forks do not mix.
"""

import sys
import time

from services.rpc.channel import is_serving

PAUSE_SECONDS = 0.2


def wait(addresses: list[str], seconds: float) -> list[str]:
    """Return the addresses that did not answer in time."""
    deadline = time.monotonic() + seconds
    silent = list(addresses)
    while silent and time.monotonic() < deadline:
        silent = [address for address in silent if not is_serving(address)]
        if silent:
            time.sleep(PAUSE_SECONDS)
    return silent


def main(arguments: list[str]) -> int:
    """Return 0 when every address answers, else 1 and their names on standard output."""
    silent = wait(arguments[1:], float(arguments[0]))
    print(*silent)
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
