"""Benchmarks, one after another: `python -m tests.benchmarks [names] [--repeats N] [--write PAGE]`.

Absolute times mean nothing on shared machines; ours and the peer run in one process on
one thread and take turns, and what counts is the ratio. Fails on unequal results only.
"""

import argparse
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from tests.benchmarks.comparison import Table
from tests.benchmarks.limits import limits
from tests.benchmarks.page import place, replaced

# Cheap ones first; every module has `run(repeats)`, and its own number of repeats.
NAMES = ("graded_ndcg", "mmd", "dense_linear", "tfidf_linear", "encoding", "factorial", "fine_tuning")


def main(arguments: list[str] | None = None) -> int:
    """Run, print and perhaps write; return 1 where a result was not equal to the peer's."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    unknown = sorted(set(asked.names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}")
    where = place()
    print(f"{where}\n{limits()}\n", flush=True)
    unequal = 0
    for name in asked.names or NAMES:
        module = import_module(f"tests.benchmarks.{name}")
        table: Table = module.run(asked.repeats or module.REPEATS)
        text = table.as_markdown(where)
        print(f"{table.title}\n\n{text}\n", flush=True)
        unequal += table.unequal
        if asked.write:
            _write(asked.write, {name: text, "limits": f"{limits()}; {where}."})
    if unequal:
        print(f"{unequal} results are not equal to the peer's")
    return int(unequal > 0)


def _write(page: Path, parts: Mapping[str, str]) -> None:
    """Write at once, so that a later failure loses nothing."""
    text = page.read_text()
    for name, part in parts.items():
        text = replaced(text, name, part)
    page.write_text(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(NAMES))
    parser.add_argument(
        "--repeats", type=int, default=0, help="of every side; each benchmark has its own number"
    )
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="replace the benchmarks' parts of this page"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
