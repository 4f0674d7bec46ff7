"""Whether a checkpoint trains in packed or in padded form here, and why."""

from collections.abc import Mapping

import torch

from services.classifier.fine_tuning.bert import unpackable
from services.classifier.fine_tuning.machine import Machine
from services.classifier.fine_tuning.network import Network
from services.classifier.fine_tuning.packed_pool import PackedPool
from services.classifier.fine_tuning.pool import Pool, TokenPool
from services.classifier.fine_tuning.settings import FineTuning
from services.classifier.fine_tuning.tokens import Tokens
from services.classifier.fine_tuning.varlen import KERNEL, has_kernel


def pool_of(
    tokens: Tokens, padding: int, network: Network, machine: Machine, settings: FineTuning, longest: int
) -> tuple[Pool, Mapping[str, str]]:
    """Return a source's documents in the form that trains fastest, and what is to be noted of it.

    The packed form computes the same function; it is taken on a CUDA device, in bfloat16,
    where torch has the kernel and the architecture is known. On a processor there is only
    the padded one, of which nothing is noted.

    Args:
        tokens: Of the documents.
        padding: The token that fills up.
        network: What is trained.
        machine: Where.
        settings: Of the request.
        longest: Tokens of a document, at most.
    """
    if machine.device.type != "cuda":
        return TokenPool(tokens, padding, network, machine), {}
    why = _unpacked(network, machine, settings)
    if why:
        return TokenPool(tokens, padding, network, machine), {"path": f"padded: {why}"}
    notes = {"path": "packed, steps recorded as CUDA graphs", "attention": KERNEL}
    return PackedPool(tokens, network, machine, longest, torch.bfloat16), notes


def _unpacked(network: Network, machine: Machine, settings: FineTuning) -> str:
    """Return why the padded form is taken on a CUDA device; empty if it is not."""
    if machine.precision != "bf16":
        return f"{KERNEL} takes bfloat16, and precision is {machine.precision}"
    if settings.attention != "auto":
        return f"attention {settings.attention} was asked for"
    if not has_kernel():
        return f"torch {torch.__version__} has no {KERNEL}"
    return unpackable(network.model)
