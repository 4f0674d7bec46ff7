"""Asymmetric loss (Ben-Baruch et al., 2021)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from services.classifier.objectives import OBJECTIVES, Counts
from services.classifier.parameters import require_not_negative
from services.domain.errors import InvalidInputError
from services.domain.task import TaskType

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Asymmetric:
    """Focal loss with an exponent for each side and a margin below which negatives are forgotten.

    Positives: -(1 - p)^gamma_positive log p. Negatives: -q^gamma_negative log(1 - q)
    with q = max(p - clip, 0). The focusing factors are differentiated like the rest,
    as in the paper's analysis of the gradient; the authors' program can hold them
    constant, but then nothing is minimised that a line search could measure.

    Args:
        gamma_negative: Not negative.
        gamma_positive: Not negative.
        clip: In [0, 1).
    """

    version: ClassVar[int] = 2
    description: ClassVar[str] = "Asymmetric loss: easy negatives count little, the easiest not at all."
    types: ClassVar[tuple[TaskType, ...]] = (TaskType.MULTI_LABEL,)
    reweights: ClassVar[bool] = False

    gamma_negative: float = 4.0
    gamma_positive: float = 1.0
    clip: float = 0.05

    def __post_init__(self) -> None:
        require_not_negative("gamma_negative", self.gamma_negative)
        require_not_negative("gamma_positive", self.gamma_positive)
        if not 0 <= self.clip < 1:
            raise InvalidInputError(f"clip lies in [0, 1), not {self.clip}", field="parameters.clip")

    def losses(self, logits: "Tensor", targets: "Tensor", counts: Counts) -> "Tensor":
        import torch
        from torch.nn import functional

        tiny = torch.finfo(logits.dtype).tiny
        missed = torch.sigmoid(-logits).clamp_min(tiny)
        positive = missed**self.gamma_positive * functional.softplus(-logits)
        shifted = (torch.sigmoid(logits) - self.clip).clamp_min(0)
        negative = shifted.clamp_min(tiny) ** self.gamma_negative * self._remaining(logits)
        return torch.where(targets > 0.5, positive, negative)

    def _remaining(self, logits: "Tensor") -> "Tensor":
        """Return -log(1 - q); each side of p = 1/2 by what does not cancel there."""
        import torch
        from torch.nn import functional

        if self.clip == 0:
            return functional.softplus(logits)
        below = (torch.sigmoid(logits.clamp_max(0)) - self.clip).clamp_min(0)
        above = (torch.sigmoid(-logits.clamp_min(0)) + self.clip).clamp_max(1)
        return -torch.where(logits < 0, torch.log1p(-below), torch.log(above))


OBJECTIVES.register("asymmetric", Asymmetric())
