"""What the solver cannot do without: its products, and the history that it reads."""

from services.classifier.solvers.kernels import Floats
from services.classifier.solvers.newton import Design, Settings, Solution, solve
from tests.benchmarks.notebook import Flags


class Counting:
    """The convex solver, counting over all of its fits.

    Attributes:
        operations: Of products with dense features.
        bytes: Of the histories that directions are made of, each read twice.
    """

    def __init__(self) -> None:
        self.operations, self.bytes = 0.0, 0.0

    def solve(
        self, design: Design, truth: Flags, weights: Floats, strength: float, settings: Settings
    ) -> Solution:
        """Fit as `solve` does."""
        return solve(_Counted(design, self, settings.memory), truth, weights, strength, settings)


class _Counted:
    """A design that tells what is asked of it."""

    def __init__(self, design: Design, totals: Counting, memory: int) -> None:
        self._design, self._totals, self._memory, self._iteration = design, totals, memory, 0

    @property
    def diagonal(self) -> Floats:
        return self._design.diagonal

    def margins(self, slopes: Floats) -> Floats:
        found = self._design.margins(slopes)
        self._totals.operations += 2.0 * found.size * slopes.shape[1]
        # Steps and changes of the gradient, once on the way back and once on the way forth.
        self._totals.bytes += 4.0 * min(self._iteration, self._memory) * slopes.nbytes
        self._iteration += 1
        return found

    def gradient(self, residual: Floats) -> Floats:
        found = self._design.gradient(residual)
        self._totals.operations += 2.0 * residual.size * found.shape[1]
        return found
