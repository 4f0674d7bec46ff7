"""What stages find damaged in the store: set aside, and computed anew."""

import threading
from collections.abc import Callable, Collection
from typing import TypeVar

from services.domain.errors import DataLossError
from services.storage.objects import ObjectStore

T = TypeVar("T")

# A disk that damages more than this is not mended by computing anew.
MOST_DAMAGED = 20


class Mending:
    """Damaged objects of one run; stages of several threads may meet the same one.

    Args:
        objects: Of the store.
        inputs: Returns the digests of what cannot be computed anew.
        restore: Computes what the store lost, as far as stages have already gone.
    """

    def __init__(
        self, objects: ObjectStore, inputs: Callable[[], Collection[str]], restore: Callable[[], None]
    ) -> None:
        self._objects, self._inputs, self._restore = objects, inputs, restore
        self._lock = threading.Lock()
        self.set_aside: list[str] = []

    def mended(self, stage: Callable[[], T]) -> T:
        """Run a stage, again each time that something damaged was set aside and computed anew.

        Raises:
            DataLossError: As `put_aside`.
        """
        while True:
            try:
                return stage()
            except DataLossError as error:
                self.put_aside(error)
                self._restore()

    def put_aside(self, error: DataLossError) -> None:
        """Set aside what an error found damaged.

        Raises:
            DataLossError: The one given, where an input is damaged, or damage does not end.
        """
        sha256 = error.metadata.get("sha256", "")
        inputs = self._inputs()
        with self._lock:
            held = bool(sha256) and self._objects.has(sha256)
            if not held and sha256 in self.set_aside:
                # Another thread met it first.
                return
            if not held or sha256 in inputs or len(self.set_aside) >= MOST_DAMAGED:
                raise error
            self._objects.quarantine(sha256)
            self.set_aside.append(sha256)
