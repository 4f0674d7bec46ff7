"""All benchmarks, one after another: `python -m tests.benchmarks [repeats]`.

Absolute times mean nothing on shared machines; ours and the peer run in one
process, and what counts is the ratio. Fails on unequal results only.
"""

import sys

from flows.environment import processor
from tests.benchmarks import encoding, jaccard, mmd, training
from tests.benchmarks.timing import print_table, repeats_asked


def main() -> int:
    """Run and print everything; return 1 where a result was not equal to the peer's."""
    print(f"{processor()}, {repeats_asked()} repeats, CPU seconds of one thread\n")
    unequal = print_table(encoding.run, encoding.table)
    unequal += print_table(training.run, training.table)
    unequal += print_table(mmd.run, mmd.table)
    unequal += print_table(jaccard.run, jaccard.table)
    if unequal:
        print(f"{unequal} results are not equal to the peer's")
    return int(unequal > 0)


if __name__ == "__main__":
    sys.exit(main())
