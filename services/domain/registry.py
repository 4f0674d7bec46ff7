"""Registries that fill themselves by scanning a folder.

Adding an implementation is adding a file. Files in `$SYNTHTRIAL_PLUGINS/<kind>/`
are found as well, so that an addition need not live in this repository.
"""

import importlib
import importlib.util
import os
import pkgutil
import sys
from pathlib import Path
from threading import RLock
from typing import Generic, TypeVar

from services.domain.errors import InvalidInputError, NotFoundError

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
            raise NotFoundError(f"{self.kind}: no {name!r}; there are: {known}", name=name, kind=self.kind)
        return self._entries[name]

    def names(self) -> tuple[str, ...]:
        """Return all names in alphabetical order."""
        self._scan()
        return tuple(sorted(self._entries))

    def _scan(self) -> None:
        with self._lock:
            if self._package not in self._scanned:
                self._scanned.add(self._package)
                _import_modules(self._package)
            folder = os.environ.get(PLUGINS_VARIABLE, "")
            if folder and folder not in self._scanned:
                self._scanned.add(folder)
                _import_files(Path(folder) / self.kind)


def _import_modules(package: str) -> None:
    parent = importlib.import_module(package)
    for module in pkgutil.iter_modules(parent.__path__):
        importlib.import_module(f"{package}.{module.name}")


def _import_files(folder: Path) -> None:
    for file in sorted(folder.glob("*.py")):
        name = f"synthtrial_plugin_{folder.name}_{file.stem}"
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise InvalidInputError(f"{file} cannot be imported as a plug-in", field=PLUGINS_VARIABLE)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
