"""A checkpoint's layers under a linear head, the lower layers frozen and passed over once their output is known."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from services.classifier.fine_tuning.machine import moved
from services.classifier.solvers.newton import CONSTANT_LOGIT
from services.domain.errors import InvalidInputError


class Network:
    """Mean of the last hidden states, unit length, one linear score per label.

    Args:
        model: The encoder of a checkpoint; it is changed.
        freeze: Lower layers that stay as they are; embeddings with them unless it is 0.
        device: Where it computes.
    """

    def __init__(self, model: Any, freeze: int, device: torch.device) -> None:
        self.model, self._memory, self.freeze = model.to(device), _Memory(), freeze
        self.device = device
        body = _trainable(model, freeze)
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        for parameter in body.values():
            parameter.requires_grad_(True)
        if freeze:
            _freeze(_layers(model), freeze, self._memory)
        self.body: Mapping[str, nn.Parameter] = body
        self.slopes = self.intercepts = torch.zeros(0)
        self._behead(0)

    @property
    def width(self) -> int:
        """Numbers in a hidden state."""
        return int(self.model.config.hidden_size)

    @property
    def trained(self) -> dict[str, Tensor]:
        """Everything that training changes, by name; the head last."""
        return {**self.body, "head.slopes": self.slopes, "head.intercepts": self.intercepts}

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of what training changes, with the labels that are fixed, on the same device."""
        kept = {name: tensor.detach().clone() for name, tensor in self.trained.items()}
        return {**kept, "head.free": self._free.clone(), "head.fixed": self._fixed.clone()}

    def restore(self, weights: Mapping[str, Tensor]) -> None:
        """Put weights back in place; those from before there was a head leave it as it is."""
        labels = len(weights["head.free"])
        if labels:
            self._behead(labels)
        with torch.no_grad():
            for name, tensor in (self.trained if labels else self.body).items():
                tensor.copy_(weights[name])
            if labels:
                self._free.copy_(weights["head.free"])
                self._fixed.copy_(weights["head.fixed"])

    def start_head(self, log_odds: npt.NDArray[np.float64], constant: npt.NDArray[np.int8]) -> None:
        """Score every document with the label's log-odds.

        Args:
            log_odds: Shape (labels,).
            constant: Shape (labels,): -1 or 1 fixes a label that is in no or in every
                document, 0 leaves it free.
        """
        self._behead(len(constant))
        with torch.no_grad():
            self.intercepts.copy_(torch.from_numpy(np.where(constant == 0, log_odds, 0.0)))
            self._free.copy_(torch.from_numpy(constant == 0))
            self._fixed.copy_(torch.from_numpy(constant * CONSTANT_LOGIT))

    def _behead(self, labels: int) -> None:
        """Forget the head. One of the same size keeps its place in memory: captured steps know it by that."""
        if labels and len(self.intercepts) == labels:
            with torch.no_grad():
                self.slopes.zero_()
                self.intercepts.zero_()
            return
        self.slopes = torch.zeros(labels, self.width, device=self.device, requires_grad=True)
        self.intercepts = torch.zeros(labels, device=self.device, requires_grad=True)
        self._free = torch.ones(labels, device=self.device)
        self._fixed = torch.zeros(labels, device=self.device)

    def states(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return what the frozen layers make of tokens, shape (n, length, width)."""
        self._memory.known = None
        try:
            with torch.no_grad():
                self.model(input_ids=moved(ids, self.device), attention_mask=moved(mask, self.device))
        except _Reached as reached:
            return reached.states
        raise AssertionError("the frozen layers were not passed through")

    def logits(self, ids: Tensor, mask: Tensor, states: Tensor | None) -> Tensor:
        """Return scores before sigmoid or softmax, shape (n, labels), float32.

        Args:
            ids: Shape (n, length).
            mask: As `ids`, 1 where there is a token.
            states: Of `states`, where layers are frozen; padding may hold anything finite.
        """
        mask = moved(mask, self.device)
        self._memory.known = None if states is None else states.to(self.device)
        found = self.model(input_ids=moved(ids, self.device), attention_mask=mask)
        hidden = found.last_hidden_state.float()
        seen = mask[:, :, None].float()
        return self.head((hidden * seen).sum(1) / seen.sum(1))

    def head(self, mean: Tensor) -> Tensor:
        """Return scores of mean hidden states, shape (n, width), float32."""
        pooled = functional.normalize(mean, dim=1)
        with torch.autocast(self.device.type, enabled=False):
            scores = pooled @ self.slopes.T + self.intercepts
        return scores * self._free + self._fixed


class _Memory:
    """The known output of the frozen layers, None while it is being computed."""

    known: Tensor | None = None
    # Some architectures' layers return a tuple; what stands in for them has to as well.
    tupled: bool = False


class _Reached(Exception):
    """Carries the frozen layers' output past the layers above, which need not run."""

    def __init__(self, states: Tensor) -> None:
        super().__init__()
        self.states = states


class _Frozen(nn.Module):
    """A frozen layer; where the output of the last one is known, none of them computes."""

    def __init__(self, layer: nn.Module, memory: _Memory, last: bool) -> None:
        super().__init__()
        self.layer, self._memory, self._last = layer, memory, last

    def __getattr__(self, name: str) -> Any:
        # Some architectures ask a layer what kind of attention it has.
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("layer"), name)

    def forward(self, hidden: Tensor, *arguments: Any, **options: Any) -> Any:
        memory = self._memory
        if memory.known is not None:
            passed = memory.known if self._last else hidden
            return (passed,) if memory.tupled else passed
        found = self.layer(hidden, *arguments, **options)
        memory.tupled = isinstance(found, tuple)
        if self._last:
            raise _Reached(found[0] if memory.tupled else found)
        return found


def unfrozen(layer: nn.Module) -> nn.Module:
    """Return a layer itself, without what passes it over."""
    return layer.layer if isinstance(layer, _Frozen) else layer


def _layers(model: Any) -> nn.ModuleList:
    wanted = int(getattr(model.config, "num_hidden_layers", 0))
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == wanted:
            return module
    return nn.ModuleList()


def _freeze(layers: nn.ModuleList, count: int, memory: _Memory) -> None:
    for i in range(count):
        layers[i] = _Frozen(layers[i], memory, last=i == count - 1)


def _trainable(model: Any, freeze: int) -> dict[str, nn.Parameter]:
    """Return the layers above and whatever comes after them; everything where nothing is frozen."""
    named = dict(model.named_parameters())
    if freeze == 0:
        return named
    layers = _layers(model)
    if freeze > len(layers):
        raise InvalidInputError(
            f"freeze is {freeze}, and the checkpoint has {len(layers)} layers that can be frozen; give at most that "
            "many, or 0 to train all",
            field="parameters.freeze",
        )
    inside = {id(parameter) for layer in layers for parameter in layer.parameters()}
    lower = {id(parameter) for layer in layers[:freeze] for parameter in layer.parameters()}
    last = max(i for i, parameter in enumerate(named.values()) if id(parameter) in inside)
    return {
        name: parameter
        for i, (name, parameter) in enumerate(named.items())
        if (id(parameter) in inside and id(parameter) not in lower) or i > last
    }
