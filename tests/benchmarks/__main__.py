"""All benchmarks, one after another: `python -m tests.benchmarks [repeats]`.

Absolute times mean nothing on shared machines; ours and the peer run in one
process, and what counts is the ratio. Fails on unequal results only.
"""

import sys

from flows.environment import processor
from tests.benchmarks import jaccard, mmd, training


def main() -> int:
    """Run and print everything; return 1 where a result was not equal to the peer's."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(f"{processor()}, {repeats} repeats, CPU seconds of one thread\n")
    unequal = 0
    for benchmark in (training, mmd, jaccard):
        rows = benchmark.run(repeats)
        print(benchmark.table(rows), end="\n\n", flush=True)  # type: ignore[arg-type]
        unequal += sum(not row.equal for row in rows)
    if unequal:
        print(f"{unequal} results are not equal to the peer's")
    return int(unequal > 0)


if __name__ == "__main__":
    sys.exit(main())
