"""Ports on the loopback interface."""

import socket
from collections.abc import Collection

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Say whether a server could listen on a port right now."""
    with socket.socket() as probe:
        # As servers do: a connection that lingers after its end does not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def choose(wanted: int, taken: Collection[int] = ()) -> int:
    """Return the wanted port where it is free and not promised to somebody, else any other."""
    if wanted not in taken and is_free(wanted):
        return wanted
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port
