"""The frozen layers' output, token by token, on the device."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from services.classifier.fine_tuning.batches import Rows


class KeptStates:
    """Outputs of some documents of a source.

    Args:
        lengths: Shape (documents of the source,), tokens.
        width: Of an output.
        dtype: In which they are kept.
        device: Where.
        budget: Bytes that they may take.
    """

    def __init__(
        self,
        lengths: npt.NDArray[np.int64],
        width: int,
        dtype: torch.dtype,
        device: torch.device,
        budget: int,
    ) -> None:
        self._lengths, self._most = lengths, budget // (width * dtype.itemsize)
        self._known = np.zeros(len(lengths), bool)
        self._states = torch.zeros(0, width, dtype=dtype, device=device)
        self._places = torch.zeros(int(lengths.sum()), dtype=torch.int64, device=device)
        self._used = 0

    def missing(self, rows: Rows) -> Rows:
        """Return those of some documents that are not kept."""
        return rows[~self._known[rows]]

    def fitting(self, rows: Rows) -> Rows:
        """Return as many of some missing documents as there is room for, from the first."""
        return rows[self._used + np.cumsum(self._lengths[rows]) <= self._most]

    def reserve(self, rows: Rows) -> None:
        """Make room for documents that are to be kept next; what is kept already is copied once."""
        room = self._used + int(self._lengths[rows].sum())
        states = self._states.new_empty(room, self._states.shape[1])
        states[: self._used] = self._states[: self._used]
        self._states = states

    def keep(self, rows: Rows, index: Tensor, states: Tensor) -> None:
        """Keep documents for which room was made.

        Args:
            rows: The documents.
            index: Shape (tokens of them,), where their tokens stand in the source's.
            states: Shape (tokens of them, width).
        """
        end = self._used + len(states)
        self._states[self._used : end] = states
        self._places[index] = torch.arange(self._used, end, device=index.device)
        self._known[rows] = True
        self._used = end

    def look_up(self, index: Tensor, out: Tensor) -> None:
        """Write the outputs of tokens, wherever they stand; those of unknown documents are any finite numbers.

        Args:
            index: Shape (tokens,), where they stand in the source's.
            out: Shape (tokens, width).
        """
        torch.index_select(self._states, 0, self._places[index], out=out)
