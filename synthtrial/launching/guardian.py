"""Ends a launch whose supervisor was killed: `python -m synthtrial.launching.guardian MARK`.

Its standard input is a pipe that the supervisor holds open. When the kernel closes
it, whatever the reason, everything that bears the mark is ended. Works where there
is no prctl, and for processes that the supervisor did not start itself.
"""

import signal
import sys

from synthtrial.launching.processes import tear_down

GRACE_SECONDS = 2.0


def main(mark: str) -> None:
    """Wait for the supervisor's end, then clean up after it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    tear_down(mark, GRACE_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1])
