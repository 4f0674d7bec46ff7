"""Ports on the loopback interface."""

import socket
import sys

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


class Promises:
    """Ports for servers that do not listen yet, promised to no other launch on this machine.

    A promise is a socket in Linux's abstract namespace: it ends with this process, however that ends.
    """

    def __init__(self) -> None:
        self._promised: dict[int, socket.socket] = {}

    def choose(self, wanted: int) -> int:
        """Return the wanted port where it is free and not promised to somebody, else any other."""
        if is_free(wanted) and self._promise(wanted):
            return wanted
        while True:
            with socket.socket() as probe:
                probe.bind((LOOPBACK, 0))
                port = int(probe.getsockname()[1])
            if self._promise(port):
                return port

    def close(self) -> None:
        """Give all ports back."""
        for promise in self._promised.values():
            promise.close()
        self._promised.clear()

    def _promise(self, port: int) -> bool:
        if port in self._promised:
            return False
        promise = socket.socket(socket.AF_UNIX)
        try:
            if sys.platform == "linux":
                promise.bind(f"\0synthtrial-port-{port}")
        except OSError:
            promise.close()
            return False
        self._promised[port] = promise
        return True
