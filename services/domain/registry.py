"""Registries that fill themselves by scanning a folder.

Adding an implementation is adding a file. Files in `$SYNTHTRIAL_PLUGINS/<kind>/`
are found as well, so that an addition need not live in this repository.
"""

import importlib
import importlib.util
import os
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path
from threading import RLock
from typing import Generic, TypeVar

from services.domain.errors import InvalidInputError, NotFoundError
from services.domain.nearness import did_you_mean

PLUGINS_VARIABLE = "SYNTHTRIAL_PLUGINS"

T = TypeVar("T")


class Registry(Generic[T]):
    """Named implementations of one interface, imported on first use.

    Args:
        kind: What the entries are, in the plural; also the plug-in folder's name.
        package: The package whose modules register themselves when imported.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self._package = package
        self._entries: dict[str, T] = {}
        self._scanned: set[str] = set()
        self._lock = RLock()

    def register(self, name: str, entry: T) -> None:
        """Add an entry.

        Raises:
            InvalidInputError: The name is taken.
        """
        if name in self._entries:
            raise InvalidInputError(f"{self.kind}: the name {name!r} is taken", field="name")
        self._entries[name] = entry

    def get(self, name: str) -> T:
        """Return an entry.

        Raises:
            NotFoundError: No such entry; the message lists those that exist.
        """
        self._scan()
        if name not in self._entries:
            known = ", ".join(sorted(self._entries)) or "none"
            raise NotFoundError(
                f"{self.kind}: no {name!r}; there are: {known}{did_you_mean(name, self._entries)}",
                name=name,
                kind=self.kind,
            )
        return self._entries[name]

    def names(self) -> tuple[str, ...]:
        """Return all names in alphabetical order."""
        self._scan()
        return tuple(sorted(self._entries))

    def _scan(self) -> None:
        with self._lock:
            self._once(self._package, lambda: _import_modules(self._package))
            folder = os.environ.get(PLUGINS_VARIABLE, "")
            if folder and not Path(folder).is_dir():
                raise InvalidInputError(
                    f"{PLUGINS_VARIABLE} names {folder!r}, which is no folder", field=PLUGINS_VARIABLE
                )
            if folder:
                self._once(folder, lambda: self._import_files(Path(folder) / self.kind))

    def _once(self, place: str, scan: Callable[[], None]) -> None:
        if place in self._scanned:
            return
        # Marked before: what is imported may itself ask this registry.
        self._scanned.add(place)
        try:
            scan()
        except BaseException:
            # What failed is tried, and told, again.
            self._scanned.discard(place)
            raise

    def _import_files(self, folder: Path) -> None:
        for file in sorted(folder.glob("*.py")):
            self._once(str(file), lambda file=file: self._import_file(file))  # type: ignore[misc]

    def _import_file(self, file: Path) -> None:
        known = dict(self._entries)
        try:
            _execute(file, f"synthtrial_plugin_{self.kind}_{file.stem}")
        except BaseException:
            # Half of a file would take its own names the next time.
            self._entries = known
            raise


def _import_modules(package: str) -> None:
    parent = importlib.import_module(package)
    for module in pkgutil.iter_modules(parent.__path__):
        importlib.import_module(f"{package}.{module.name}")


def _execute(file: Path, name: str) -> None:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InvalidInputError(f"{file} cannot be imported as a plug-in", field=PLUGINS_VARIABLE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
