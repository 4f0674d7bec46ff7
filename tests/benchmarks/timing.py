"""Timing in CPU seconds, and what every benchmark's command line does."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np

DEFAULT_REPEATS = 5

Result = TypeVar("Result")


class Compared(Protocol):
    """A row of a benchmark's table."""

    @property
    def equal(self) -> bool: ...


RowT = TypeVar("RowT", bound=Compared)


def timed(work: Callable[[], Result], repeats: int) -> tuple[float, Result]:
    """Return the median CPU seconds of some repeats, and the last one's result."""
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        result = work()
        seconds.append(time.process_time() - started)
    return float(np.median(seconds)), result


def repeats_asked() -> int:
    """Return the repeats that the command line names."""
    return int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_REPEATS


def print_table(run: Callable[[int], Sequence[RowT]], table: Callable[[Sequence[RowT]], str]) -> int:
    """Run and print one benchmark; return how many results are not equal to the peer's."""
    rows = run(repeats_asked())
    print(table(rows), end="\n\n", flush=True)
    return sum(not row.equal for row in rows)


def main(run: Callable[[int], Sequence[RowT]], table: Callable[[Sequence[RowT]], str]) -> None:
    """Be a benchmark's program: exit with 1 where results are unequal."""
    sys.exit(int(print_table(run, table) > 0))
