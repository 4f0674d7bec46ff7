"""Command lines that say what a misspelt option or command may have meant."""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.domain.nearness import nearest


class Arguments(argparse.ArgumentParser):
    """Names an unknown option before all other faults: what else is missing may follow from it."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._commands: Mapping[str, argparse.ArgumentParser] = {}

    def add_subparsers(self, **settings: Any) -> Any:
        """Add commands as argparse does, and remember them."""
        commands = super().add_subparsers(**settings)
        self._commands = commands.choices
        return commands

    def parse_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> Any:
        """Parse as argparse does; exit with 2 where the command line makes no sense."""
        given = list(sys.argv[1:] if args is None else args)
        command = next((word for word in given if not word.startswith("-")), "")
        if self._commands and command and command not in self._commands:
            self.error(unknown("command", command, self._commands))
        parser = self._commands.get(command, self)
        known = [*self._option_string_actions, *parser._option_string_actions]
        for option in _options(given):
            if not any(name.startswith(option) for name in known):
                parser.error(unknown("option", option, known))
        return super().parse_args(given, namespace)


def unknown(kind: str, name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """Return "no command 'audti'; did you mean audit?", or where nothing is near, what there is."""
    bare = {one.lstrip("-"): one for one in known}
    near = bare.get(nearest(name.lstrip("-"), bare), "")
    named = [one for one in known if one.startswith("--") or kind != "option"]
    return f"no {kind} {name!r}; " + (f"did you mean {near}?" if near else f"there are: {', '.join(named)}")


def _options(given: Sequence[str]) -> list[str]:
    """Return the long options of a command line, without their values."""
    before = given[: given.index("--")] if "--" in given else given
    return [word.partition("=")[0] for word in before if word.startswith("--")]
