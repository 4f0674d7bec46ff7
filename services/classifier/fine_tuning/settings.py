"""What a request may set of fine-tuning."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.classifier.parameters import require_not_negative, require_positive
from services.domain.errors import InvalidInputError

CHOICES: Mapping[str, tuple[str, ...]] = {
    "budget": ("steps", "examples"),
    "precision": ("auto", "bf16", "fp32"),
    "attention": ("auto", "eager", "sdpa", "flash_attention_2"),
}


@dataclass(frozen=True, slots=True)
class FineTuning:
    """Settings of `fine_tuned_encoder`.

    Args:
        checkpoint: "minilm", a folder, or a name on the Hugging Face hub.
        freeze: Lower layers that stay as they are, embeddings with them; 0 trains everything.
        longest: Tokens kept of a text, at most what the checkpoint takes.
        batch: Documents per step.
        budget: "steps" gives every plan `steps` steps; "examples" passes `epochs` times over
            its documents, so that copies and synthetic documents buy more steps.
        steps: Per stage, with budget "steps".
        epochs: Per stage, with budget "examples"; a document counts as its weight.
        learning_rate: At its highest, after a short rise; then it falls to 0.
        head_factor: The head's learning rate over that of the layers.
        weight_decay: Of matrices.
        patience: Twelfths of the budget without a better score on the inner fifth, after which
            a stage ends.
        refit: Whether to train again on all documents, the inner fifth among them, for as many
            steps as were best without it; the threshold stays. Linear families do the like.
        precision: "auto" multiplies in bfloat16 where the processor or device has it.
        attention: "auto" leaves the choice to the checkpoint's implementation.
    """

    checkpoint: str = "minilm"
    freeze: int = 4
    longest: int = 128
    batch: int = 16
    budget: str = "steps"
    steps: int = 300
    epochs: float = 12.0
    learning_rate: float = 5e-4
    head_factor: float = 30.0
    weight_decay: float = 0.01
    patience: int = 4
    refit: bool = True
    precision: str = "auto"
    attention: str = "auto"

    def __post_init__(self) -> None:
        for name in ("batch", "steps", "epochs", "learning_rate", "head_factor", "patience"):
            require_positive(name, getattr(self, name))
        for name in ("freeze", "weight_decay"):
            require_not_negative(name, getattr(self, name))
        if self.longest < 3:
            raise InvalidInputError(
                f"longest counts two special tokens and has to be at least 3, not {self.longest}",
                field="parameters.longest",
            )
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise InvalidInputError(
                    f"{name} is one of {', '.join(allowed)}, not {getattr(self, name)!r}",
                    field=f"parameters.{name}",
                )
