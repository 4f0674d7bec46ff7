"""Random streams derived by name.

A draw depends on the study's seed and on what it is for, never on what was
drawn before it: adding an arm changes no other arm.
"""

import numpy as np

from services.domain.digest import canonical_json, sha256_hex


def derived_seed(seed: int, *names: str | int) -> int:
    """Return a seed in [0, 2^63) for one purpose."""
    return int(sha256_hex(canonical_json([seed, *names]))[:16], 16) >> 1


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the random generator of one purpose."""
    return np.random.default_rng(derived_seed(seed, *names))
