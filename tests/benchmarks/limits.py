"""What one thread of this machine can do at most, measured before the benchmarks.

A ratio that is missed is read beside these: no method is faster than the products,
exponentials and bytes that it cannot do without.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits

TRIES = 7


class Limits(NamedTuple):
    """Rates of one thread, in thousand million a second.

    Args:
        float32, float64, bfloat16: Floating-point operations of matrix products.
        bytes: Read and written by copying what no cache holds.
        cached_bytes: Read by dot products of vectors that lie in the second cache.
    """

    float32: float
    float64: float
    bfloat16: float
    bytes: float
    cached_bytes: float

    def __str__(self) -> str:
        return (
            f"One thread: matrix products at {self.float32:.0f} GFLOP/s in float32, {self.float64:.0f} in float64, "
            f"{self.bfloat16:.0f} in bfloat16; {self.bytes:.1f} GB/s to and from memory, {self.cached_bytes:.0f} GB/s "
            "out of the second cache"
        )


@lru_cache(maxsize=1)
def limits() -> Limits:
    """Measure, once a process; a few seconds."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        return Limits(
            _numpy_product(np.float32),
            _numpy_product(np.float64),
            _torch_product(),
            _copy(),
            _dot_products(),
        )


def _best(work: Callable[[], object]) -> float:
    """Return the fewest CPU seconds of some tries: a limit, not a habit."""
    work()
    seconds = []
    for _ in range(TRIES):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return min(seconds)


def _numpy_product(dtype: type) -> float:
    n = 1536
    x: np.ndarray = np.random.default_rng(0).random((n, n)).astype(dtype)
    out = np.empty_like(x)
    return 2 * n**3 / _best(lambda: np.matmul(x, x, out=out)) / 1e9


def _torch_product() -> float:
    n = 1536
    x = torch.ones(n, n, dtype=torch.bfloat16)
    return 2 * n**3 / _best(lambda: torch.mm(x, x)) / 1e9


def _copy() -> float:
    source = np.ones(64 << 20, np.float32)
    target = np.empty_like(source)
    return 2 * source.nbytes / _best(lambda: np.copyto(target, source)) / 1e9


def _dot_products() -> float:
    # Twice 128 kB: beyond the first cache, well within the second.
    one, other, times = np.ones(32768, np.float32), np.ones(32768, np.float32), 2000

    def work() -> None:
        for _ in range(times):
            one @ other

    return times * (one.nbytes + other.nbytes) / _best(work) / 1e9
