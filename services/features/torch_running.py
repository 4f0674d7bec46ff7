"""How torch is run here: each batch by one thread, in what the processor multiplies fastest."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def threads_apart() -> Iterator[int]:
    """Yield how many batches may be computed side by side, each by one thread.

    How a product is split over threads decides its last bits, so batches are
    never split; the process' threads take whole batches instead.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield threads
    finally:
        torch.set_num_threads(threads)


def multiplies_in_bfloat16() -> bool:
    """Say whether this processor has instructions for products in bfloat16."""
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
