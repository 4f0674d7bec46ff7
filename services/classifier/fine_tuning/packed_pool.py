"""The documents of a source in packed form: everything they are lies on the device."""

import numpy as np
import torch
from torch import Tensor

from services.classifier.fine_tuning.batches import Rows, even_batches
from services.classifier.fine_tuning.graphs import Inputs, Recorder
from services.classifier.fine_tuning.machine import Machine, moved
from services.classifier.fine_tuning.network import Network
from services.classifier.fine_tuning.packed_network import PackedNetwork
from services.classifier.fine_tuning.packing import SCORED_TOKENS, Packing, scored_parts
from services.classifier.fine_tuning.replays import ReplayedSteps
from services.classifier.fine_tuning.settings import FineTuning
from services.classifier.fine_tuning.stage import Floats, LossWatch, Stage, StageLoss
from services.classifier.fine_tuning.states import KeptStates
from services.classifier.fine_tuning.steps import Steps
from services.classifier.fine_tuning.tokens import Tokens
from services.classifier.fine_tuning.varlen import Segments
from services.domain.task import TaskType

# Of the device's free memory, for the frozen layers' outputs; what does not fit is computed anew each time.
SHARE = 0.4
UNLIMITED = 1 << 60


class PackedPool:
    """Documents one behind the other under a network.

    Args:
        tokens: Of all rows.
        network: Over a BERT.
        machine: Where.
        longest: Tokens of a document, at most.
        dtype: Of products.
    """

    def __init__(
        self, tokens: Tokens, network: Network, machine: Machine, longest: int, dtype: torch.dtype
    ) -> None:
        self.tokens, self.network, self._machine, self._longest = tokens, network, machine, longest
        self._packed = PackedNetwork(network, dtype)
        self._lengths = tokens.lengths(np.arange(len(tokens.ids)))
        self._starts = np.cumsum(self._lengths) - self._lengths
        flat = np.fromiter((token for ids in tokens.ids for token in ids), np.int64, int(self._lengths.sum()))
        self._ids = self._on_device(flat)
        self._kept = self._no_states(_budget(network.device))
        self._scoring = Packing.of_scores(longest)
        self._recorder: tuple[object, Recorder] | None = None

    def remember(self, rows: Rows) -> None:
        if self.network.freeze:
            self._keep(self._kept, self._kept.fitting(self._kept.missing(np.unique(rows))))

    def epoch(self, rows: Rows, size: int, seed: int, *names: str | int) -> list[Rows]:
        return even_batches(self._lengths[rows], size, seed, *names)

    def steps(self, stage: Stage, number: int, task_type: TaskType, settings: FineTuning) -> Steps:
        loss = StageLoss(stage, task_type, self.network.device)
        watch = LossWatch(number, self._machine.precision, self.network.device)
        packing = Packing.of_steps(settings.batch, self._longest)
        return ReplayedSteps(self, self._recording(settings), packing, stage, loss, watch)

    @torch.no_grad()
    def all_logits(self, rows: Rows) -> Floats:
        rows = np.asarray(rows, np.int64)
        self._packed.refresh()
        found = torch.zeros(len(rows), len(self.network.intercepts), device=self.network.device)
        for part in scored_parts(self._scoring, self._lengths[rows]):
            logits = self._packed.logits(self.inputs(rows[part], self._scoring, SCORED_TOKENS))
            found[self._on_device(part)] = logits[: len(part)]
        return found.cpu().numpy()

    def inputs(self, rows: Rows, packing: Packing, tokens: int, places: Inputs | None = None) -> Inputs:
        """Lay documents out on the device.

        Args:
            rows: The documents.
            packing: Holds them.
            tokens: Of the shape.
            places: Where to; None for new ones.
        """
        packed = packing.lay_out(self._starts[rows], self._lengths[rows], tokens)
        places = places or self._new_inputs(packing, tokens)
        places.positions.copy_(self._on_device(packed.positions))
        places.segments.bounds.copy_(self._on_device(packed.bounds))
        index = self._on_device(packed.places)
        if self.network.freeze:
            self._states(rows).look_up(index, places.source)
        else:
            torch.index_select(self._ids, 0, index, out=places.source)
        return places

    def step_tokens(self, rows: Rows, packing: Packing) -> int:
        """Return the tokens of the shape in which documents are trained on."""
        return packing.tokens(self._lengths[rows])

    def _recording(self, settings: FineTuning) -> Recorder:
        """Return the steps recorded so far, unless the head has another place since."""
        if self._recorder is None or self._recorder[0] is not self.network.slopes:
            self._recorder = None
            self._recorder = (self.network.slopes, Recorder(self._packed, settings))
        return self._recorder[1]

    def _new_inputs(self, packing: Packing, tokens: int) -> Inputs:
        source = self._ids.new_zeros(tokens)
        if self.network.freeze:
            source = torch.zeros(
                tokens, self.network.width, dtype=self._packed.dtype, device=self.network.device
            )
        bounds = torch.zeros(packing.segments + 1, dtype=torch.int32, device=self.network.device)
        return Inputs(source, self._ids.new_zeros(tokens), Segments(bounds, self._longest))

    def _states(self, rows: Rows) -> KeptStates:
        if not len(self._kept.missing(rows)):
            return self._kept
        # In the shape of the cache, so that its size changes no result.
        apart = self._no_states(UNLIMITED)
        self._keep(apart, rows)
        return apart

    def _keep(self, kept: KeptStates, rows: Rows) -> None:
        if not len(rows):
            return
        kept.reserve(rows)
        for part in scored_parts(self._scoring, self._lengths[rows]):
            count = int(self._lengths[rows[part]].sum())
            packed = self._scoring.lay_out(self._starts[rows[part]], self._lengths[rows[part]], SCORED_TOKENS)
            index, positions, bounds = (self._on_device(numbers) for numbers in packed)
            segments = Segments(bounds.int(), self._longest)
            states = self._packed.states(self._ids[index], positions, segments)
            kept.keep(rows[part], index[:count], states[:count])

    def _no_states(self, budget: int) -> KeptStates:
        return KeptStates(self._lengths, self.network.width, self._packed.dtype, self.network.device, budget)

    def _on_device(self, numbers: Rows) -> Tensor:
        return moved(torch.from_numpy(numbers), self.network.device)


def _budget(device: torch.device) -> int:
    return int(SHARE * torch.cuda.mem_get_info(device)[0]) if device.type == "cuda" else UNLIMITED
