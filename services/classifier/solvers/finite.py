"""What no solver can go on from: it would take it for the end of its way."""

import numpy as np

from services.domain.errors import PreconditionError

# In 32-bit numbers there is room above it for the squares of features of unit length, and little more.
LARGEST_SUM = 1e30


def require_number(values: np.ndarray, what: str) -> None:
    """Refuse what is not a number or has no end.

    Args:
        values: Of the loss, its slope or the features' squares.
        what: Their name, for a person.

    Raises:
        PreconditionError: One is nan or infinite.
    """
    if not np.isfinite(values).all():
        raise _unfit(what, float(values[~np.isfinite(values)][0]))


def require_sum(weights: np.ndarray) -> None:
    """Refuse weights, not negative, of which 32-bit numbers cannot hold the sum.

    Raises:
        PreconditionError: The sum is above 1e30.
    """
    total = float(weights.sum(dtype=np.float64))
    if not total <= LARGEST_SUM:
        raise _unfit("the sum of the weights", total)


def _unfit(what: str, found: float) -> PreconditionError:
    return PreconditionError(
        f"{what} of a linear model is {found:g}: features, weights or C are too large or too small for 32-bit numbers; "
        "scale them, features to unit length and C to about 1",
        found=str(found),
    )
