"""Steps recorded once per number of tokens and replayed: the device does not wait for Python.

A step is two graphs, with the loss between them, which is any objective: forward to the logits;
back from their gradient, clip and update. All graphs share one pool of memory, for
only one step is under way at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from services.classifier.fine_tuning.settings import FineTuning
from services.classifier.fine_tuning.steps import GRADIENT_NORM, groups
from services.classifier.fine_tuning.varlen import Segments

MOMENTS = ("exp_avg", "exp_avg_sq", "step")


class Inputs(NamedTuple):
    """What a step reads, at fixed places in memory.

    Args:
        source: Shape (tokens,) identifiers, or (tokens, width) outputs of the frozen layers.
        positions: Shape (tokens,).
        segments: Of the tokens.
    """

    source: Tensor
    positions: Tensor
    segments: Segments


class Differentiable(Protocol):
    """A network in packed form that is being trained."""

    @property
    def trained(self) -> Mapping[str, Tensor]:
        """Everything that training changes, by name."""
        ...

    @property
    def leaves(self) -> Sequence[Tensor]:
        """What gradients are taken of: some of `trained`, and copies of the others."""
        ...

    def refresh(self) -> None:
        """Make the copies anew."""
        ...

    def logits(self, inputs: Inputs) -> Tensor:
        """Return logits of all segments, shape (segments, labels), float32."""
        ...

    def give_back(self, gradients: Sequence[Tensor]) -> None:
        """Let gradients of the leaves be those of what is trained."""
        ...


class Recorded(NamedTuple):
    """A step over so many tokens."""

    inputs: Inputs
    logits: Tensor
    gradient: Tensor
    forward: "torch.cuda.CUDAGraph"
    back: "torch.cuda.CUDAGraph"


class Recorder:
    """Records steps as shapes come up; holds the optimiser, whose state stays where the graphs know it.

    Args:
        network: What is trained, on a CUDA device.
        settings: Of the request.
    """

    def __init__(self, network: Differentiable, settings: FineTuning) -> None:
        self._network = network
        self._recorded: dict[int, Recorded] = {}
        self._memory = torch.cuda.graph_pool_handle()
        self._optimiser = _optimiser(network.trained, settings)

    def forward(self, tokens: int, fill: Callable[[Inputs | None], Inputs]) -> Recorded:
        """Return the step for so many tokens, forward done.

        Args:
            tokens: Of the shape.
            fill: Puts the batch in places, or in new ones.
        """
        found = self._recorded.get(tokens)
        inputs = fill(found.inputs if found else None)
        if found is None:
            found = self._recorded[tokens] = self._record(inputs)
        found.forward.replay()
        return found

    def update(self, recorded: Recorded, gradient: Tensor, rate: float) -> None:
        """Go back from the gradient of the first logits, and change what is trained."""
        for group in self._optimiser.param_groups:
            group["lr"].fill_(group["highest"] * rate)
        recorded.gradient.zero_()
        recorded.gradient[: len(gradient)].copy_(gradient)
        recorded.back.replay()

    def state(self) -> dict[str, Tensor]:
        """Return a copy of the optimiser's state."""
        return {
            f"{name}/{moment}": self._optimiser.state[tensor][moment].clone()
            for name, tensor in self._network.trained.items()
            for moment in MOMENTS
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Put a state back; an empty one is that of the beginning."""
        for name, tensor in self._network.trained.items():
            for moment in MOMENTS:
                kept = self._optimiser.state[tensor][moment]
                kept.copy_(state[f"{name}/{moment}"]) if state else kept.zero_()

    def _record(self, inputs: Inputs) -> Recorded:
        self._try_out(inputs)
        forward, back = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()
        with torch.cuda.graph(forward, pool=self._memory):
            self._network.refresh()
            logits = self._network.logits(inputs)
        gradient = torch.zeros_like(logits)
        with torch.cuda.graph(back, pool=self._memory):
            self._gradients(logits, gradient)
            torch.nn.utils.clip_grad_norm_(list(self._network.trained.values()), GRADIENT_NORM, foreach=True)
            self._optimiser.step()
        self._forget_gradients()
        return Recorded(inputs, logits.detach(), gradient, forward, back)

    def _try_out(self, inputs: Inputs) -> None:
        """Go there and back without an update: libraries choose kernels at first use, which cannot be recorded."""
        new_stream: Any = torch.cuda.Stream
        stream, now = new_stream(), torch.cuda.current_stream()
        stream.wait_stream(now)
        with torch.cuda.stream(stream):
            self._network.refresh()
            logits = self._network.logits(inputs)
            self._gradients(logits, torch.zeros_like(logits))
        now.wait_stream(stream)
        self._forget_gradients()

    def _gradients(self, logits: Tensor, gradient: Tensor) -> None:
        self._network.give_back(torch.autograd.grad(logits, self._network.leaves, gradient))

    def _forget_gradients(self) -> None:
        for tensor in self._network.trained.values():
            tensor.grad = None


def _optimiser(trained: Mapping[str, Tensor], settings: FineTuning) -> torch.optim.Optimizer:
    device = next(iter(trained.values())).device
    parts = [{**group, "lr": torch.zeros((), device=device)} for group in groups(trained, settings)]
    optimiser = torch.optim.AdamW(parts, lr=torch.zeros((), device=device), fused=True, capturable=True)
    # The state is made by the first step, which at a rate of 0 changes nothing.
    for tensor in trained.values():
        tensor.grad = torch.zeros_like(tensor)
    optimiser.step()
    for tensor in trained.values():
        tensor.grad = None
    return optimiser
