"""Where and how precisely this process computes, and what happens when memory runs out."""

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.domain.environment import PLACE_VARIABLE
from services.domain.errors import InvalidInputError, PreconditionError

if TYPE_CHECKING:
    import torch

# Where every worker of a service computes; without it they spread over the CUDA devices there are.
DEVICE_VARIABLE = "SYNTHTRIAL_DEVICE"
CUBLAS_VARIABLE = "CUBLAS_WORKSPACE_CONFIG"
# What the allocators without an exception of their own say.
OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


@dataclass(frozen=True, slots=True)
class Machine:
    """A device, and whether products are taken in "bf16" or in "fp32"."""

    device: "torch.device"
    precision: str

    @classmethod
    def here(cls, precision: str) -> "Machine":
        """Return what this process has.

        Args:
            precision: "auto", "bf16" or "fp32".

        Raises:
            InvalidInputError: The variable names no device that is here.
        """
        device = _device()
        if device.type == "cuda":
            # Before the first product: cuBLAS takes sums in one order only with buffers of its own.
            os.environ.setdefault(CUBLAS_VARIABLE, ":4096:8")
        if precision == "auto":
            precision = "bf16" if _multiplies_in_bfloat16(device) else "fp32"
        return cls(device, precision)

    def multiplying(self) -> Any:
        """Return the context in which the network runs; weights stay in float32."""
        import torch

        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")


def moved(tensor: "torch.Tensor", device: "torch.device") -> "torch.Tensor":
    """Return a tensor on a device, without waiting for what the device is doing."""
    if device.type != "cuda" or tensor.is_cuda:
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


@contextmanager
def repeatable(device: "torch.device") -> Iterator[None]:
    """Let a device's sums come out the same each time; the processor's do anyway."""
    import torch

    if device.type == "cpu" or torch.are_deterministic_algorithms_enabled():
        yield
        return
    # It would write all memory once more, for programs that read what they have not written.
    settings: Any = torch.utils.deterministic
    filled, settings.fill_uninitialized_memory = settings.fill_uninitialized_memory, False
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)
        settings.fill_uninitialized_memory = filled


@contextmanager
def enough_memory(batch: int, longest: int) -> Iterator[None]:
    """Say in words that memory ran out; what the kernel kills says nothing, and the service says it."""
    import torch

    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise _out_of_memory(batch, longest, error) from error
    except RuntimeError as error:
        if not any(words in str(error) for words in OUT_OF_MEMORY):
            raise
        raise _out_of_memory(batch, longest, error) from error


def _out_of_memory(batch: int, longest: int, error: Exception) -> PreconditionError:
    # What the failed calls had in hand would stay in memory as long as the error is kept.
    traceback.clear_frames(error.__traceback__)
    return PreconditionError(
        f"fine-tuning ran out of memory with {batch} documents of at most {longest} tokens a step; lower "
        "batch or longest, freeze more layers, or take a smaller checkpoint",
        batch=str(batch),
        longest=str(longest),
    )


def _device() -> "torch.device":
    import torch

    wanted = os.environ.get(DEVICE_VARIABLE) or own_device()
    try:
        device = torch.device(wanted)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InvalidInputError(
            f"{DEVICE_VARIABLE} names {wanted!r}, which this machine has not: {str(error).splitlines()[0]}; name cpu "
            "or cuda:<index>",
            field=DEVICE_VARIABLE,
        ) from None
    return device


def own_device() -> str:
    """Return the device of this worker: one of its own where a service has as many as workers, else a shared one."""
    import torch

    if not torch.cuda.is_available():
        return "cpu"
    return f"cuda:{int(os.environ.get(PLACE_VARIABLE, '0')) % torch.cuda.device_count()}"


def computed_on() -> str:
    """Return what kind of device this process computes on, "" for a processor; packed kernels come with torch."""
    from services.classifier.fine_tuning.varlen import has_kernel

    kind = _device().type
    return "" if kind == "cpu" else f"{kind}, {'packed' if has_kernel() else 'padded'}"


def _multiplies_in_bfloat16(device: "torch.device") -> bool:
    import torch

    from services.features.torch_running import multiplies_in_bfloat16

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return device.type == "cpu" and multiplies_in_bfloat16()
