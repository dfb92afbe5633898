"""The state of a training: everything that changes while a network trains, as tensors and JSON for a checkpoint."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Tensors = dict[str, np.ndarray]
Values = dict[str, Any]


class TrainingState:
    """A network with its optimiser and schedule, the position in the run, and the losses so far."""

    def __init__(
        self, network: nn.Module, optimiser: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LRScheduler
    ):
        self.network = network
        self.optimiser = optimiser
        self.schedule = schedule
        self.epoch = 1
        """The current epoch, from 1; for a training in steps, the current row of the curve."""
        self.batch = 0
        """Batches done in this epoch."""
        self.lr = float(schedule.get_last_lr()[0])
        """Learning rate of pretrained layers at the first batch of this epoch."""
        self.sums: dict[str, float] = {}
        """Losses summed over the batches done; `training.descent` may be some batches late."""
        self.curve: list[dict[str, float]] = []
        """One row for every finished epoch."""

    def add_losses(self, losses: dict[str, float]) -> None:
        """Add the losses of a batch."""
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def end_epoch(self, passes: float) -> None:
        """Append a row to the curve and start the next epoch.

        Its columns are `epoch`, the number of `passes` over the samples so far, `lr` and the mean of every loss.
        """
        means = {name: value / self.batch for name, value in self.sums.items()}
        self.curve.append({"epoch": passes, "lr": self.lr, **means})
        self.epoch, self.batch, self.sums = self.epoch + 1, 0, {}
        self.lr = float(self.schedule.get_last_lr()[0])

    def lost(self) -> str:
        """Return the name of the first tensor of the network that is not all finite numbers; empty if there is none.

        Statistics of batch norms count too: no loss shows them, because a training does not use them.
        """
        # a sum is not finite if one of its terms is not, and needs no copy
        tensors = self.network.state_dict().items()
        return next((name for name, value in tensors if not math.isfinite(value.detach().sum())), "")

    def export(self) -> tuple[Tensors, Values]:
        """Return the weights and the optimiser's tensors, and everything else as JSON values."""
        optimiser = self.optimiser.state_dict()
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for index, entries in optimiser["state"].items():
            tensors |= {f"optimiser.{index}.{name}": value for name, value in entries.items() if value is not None}
        values = {name: getattr(self, name) for name in ("epoch", "batch", "lr", "sums", "curve")}
        values |= {"optimiser": optimiser["param_groups"], "schedule": self.schedule.state_dict()}
        return {name: value.detach().cpu().numpy() for name, value in tensors.items()}, values

    def restore(self, tensors: Tensors, values: Values) -> None:
        """Restore what `export` returned. Tensors are copied, because the optimiser updates them in place."""
        optimiser: dict[int, dict[str, Tensor]] = {}
        network: dict[str, Tensor] = {}
        for name, value in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "network":
                network[rest] = torch.from_numpy(value.copy())
            else:
                index, _, entry = rest.partition(".")
                optimiser.setdefault(int(index), {})[entry] = torch.from_numpy(value.copy())
        self.network.load_state_dict(network)
        self.optimiser.load_state_dict({"state": optimiser, "param_groups": values["optimiser"]})
        # arrays are in C order, parameters channels-last, and the fused SGD of GPUs rejects momenta of other strides
        for parameter, entries in self.optimiser.state.items():
            for entry, held in entries.items():
                if held.shape == parameter.shape:
                    entries[entry] = torch.empty_like(parameter).copy_(held)
        self.schedule.load_state_dict(values["schedule"])
        for name in ("epoch", "batch", "lr", "sums", "curve"):
            setattr(self, name, values[name])
