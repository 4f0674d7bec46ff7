"""Where and how precisely this process computes, and what happens when memory runs out."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.domain.errors import InvalidInputError, PreconditionError

if TYPE_CHECKING:
    import torch

# A service's workers share one device. For several devices start one service each,
# with this variable or with CUDA_VISIBLE_DEVICES.
DEVICE_VARIABLE = "SYNTHTRIAL_DEVICE"


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
        if precision == "auto":
            precision = "bf16" if _multiplies_in_bfloat16(device) else "fp32"
        return cls(device, precision)

    def multiplying(self) -> Any:
        """Return the context in which the network runs; weights stay in float32."""
        import torch

        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")


@contextmanager
def enough_memory(batch: int, longest: int) -> Iterator[None]:
    """Say in words that memory ran out; what the kernel kills says nothing, and the service says it."""
    import torch

    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise _out_of_memory(batch, longest) from error
    except RuntimeError as error:
        # Torch's allocator for the CPU has no exception of its own.
        if "can't allocate memory" not in str(error) and "not enough memory" not in str(error):
            raise
        raise _out_of_memory(batch, longest) from error


def _out_of_memory(batch: int, longest: int) -> PreconditionError:
    return PreconditionError(
        f"fine-tuning ran out of memory with {batch} documents of at most {longest} tokens a step; lower "
        "batch or longest, freeze more layers, or take a smaller checkpoint",
        batch=str(batch),
        longest=str(longest),
    )


def _device() -> "torch.device":
    import torch

    wanted = os.environ.get(DEVICE_VARIABLE) or ("cuda" if torch.cuda.is_available() else "cpu")
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


def _multiplies_in_bfloat16(device: "torch.device") -> bool:
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    able = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
