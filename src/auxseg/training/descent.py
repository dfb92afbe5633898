"""One step of the optimiser, and the losses it had, which are read from a GPU only now and then."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from auxseg.models.transfer import to_device
from auxseg.training.augment import Sample
from auxseg.training.distributed import Team
from auxseg.training.losses import Divisors
from auxseg.training.state import TrainingState

Step = Callable[[Sample, Divisors], dict[str, Tensor]]
"""Maps a part of a batch, on the device, to its share of the batch's losses: each sum over the part is divided by the
divisor of the whole batch. `loss` is the value to minimise."""

READ_EVERY = {"cuda": 25}
"""Steps after which losses are read, by kind of device. Whoever reads a number from a GPU waits until the GPU has done
everything it was asked for, and then the GPU waits for the next step. A CPU never waits, so there it is 1."""


class DivergedError(Exception):
    """The loss of a batch of this epoch is not a finite number."""

    def __init__(self, batch: int, stepped: bool = False):
        super().__init__(batch)
        self.batch = batch
        """Position in the epoch, from 0."""
        self.stepped = stepped
        """Whether the optimiser has taken that batch's step."""


class Descent:
    """Takes steps with the gradient of a whole batch, however it is split into parts and processes."""

    def __init__(self, state: TrainingState, step: Step, team: Team, clip_norm: float | None):
        self._state = state
        self._module = team.replicated(_Module(state.network, step))
        self._team = team
        self._clip_norm = clip_norm
        self._unread: list[tuple[int, Tensor]] = []
        """Batches of this epoch, with this process's share of their losses, float64 (losses,) on the device."""
        self._names: tuple[str, ...] = ()
        self._read_every = READ_EVERY.get(team.device.type, 1)

    def __call__(self, parts: Sequence[Sample]) -> None:
        """Take a step with this process's parts of a batch, and count the batch.

        Raises:
            DivergedError: as `read_losses`, which is called before every READ_EVERY-th step is taken.
        """
        divisors = Divisors(*to_device(self._team.all_reduce(torch.stack(Divisors.of(*parts))), self._team.device))
        self._state.optimiser.zero_grad(set_to_none=True)
        with self._team.no_sync(self._module):
            shares = [self._backward(part, divisors) for part in parts[:-1]]
        shares.append(self._backward(parts[-1], divisors))
        self._unread.append((self._state.batch, torch.stack(shares).sum(0)))
        if len(self._unread) >= self._read_every:
            self.read_losses()
        if self._clip_norm:
            nn.utils.clip_grad_norm_(self._state.network.parameters(), self._clip_norm)
        self._state.optimiser.step()
        self._state.schedule.step()
        self._state.batch += 1

    def read_losses(self) -> None:
        """Add the losses of the whole batches that were not read yet to the state.

        Raises:
            DivergedError: one of them is not a finite number; in every process.
        """
        if not self._unread:
            return
        unread, self._unread = self._unread, []
        totals = self._team.all_reduce(torch.stack([share for _, share in unread]).cpu())
        for (batch, _), losses in zip(unread, totals, strict=True):
            if not torch.isfinite(losses).all():
                raise DivergedError(batch, stepped=batch < self._state.batch)
            self._state.add_losses(dict(zip(self._names, losses.tolist(), strict=True)))

    def _backward(self, part: Sample, divisors: Divisors) -> Tensor:
        moved = part.map(partial(to_device, device=self._team.device))
        losses = self._module(replace(moved, image=moved.image.float()), divisors)
        self._team.backward(losses["loss"])
        self._names = tuple(losses)
        return torch.stack([value.detach().double() for value in losses.values()])


class _Module(nn.Module):
    """A step as a module, so that DistributedDataParallel can follow how the losses were computed."""

    def __init__(self, network: nn.Module, step: Step):
        super().__init__()
        self.network = network
        self._step = step

    def forward(self, part: Sample, divisors: Divisors) -> dict[str, Tensor]:
        losses = self._step(part, divisors)
        return {name: value if name == "loss" else value.detach() for name, value in losses.items()}
