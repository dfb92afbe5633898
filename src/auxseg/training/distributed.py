"""The processes that train one network: torchrun starts them, DistributedDataParallel combines their gradients.

A single process is a team of one and starts no process group.
"""

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from auxseg.counts import counted
from auxseg.errors import ParamsError, ResourceError
from auxseg.models.device import prepare_device
from auxseg.params.runtime import RuntimeParams
from auxseg.params.training import TrainingParams
from auxseg.torchrun import torchrun_rank
from auxseg.training.launch import launch

T = TypeVar("T")


@dataclass(frozen=True)
class Team:
    """Process `rank` of `size`, which computes on `device`."""

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes outputs, log and checkpoint."""
        return self.rank == 0

    def all_reduce(self, values: Tensor) -> Tensor:
        """Return the sum of a CPU tensor over the team, in place."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def largest(self, value: int) -> int:
        """Return the largest value over the team."""
        if self.size == 1:
            return value
        held = torch.tensor(value)
        dist.all_reduce(held, dist.ReduceOp.MAX)
        return int(held)

    def all_gather(self, values: Tensor) -> list[Tensor]:
        """Return the CPU tensor of every process, ordered by rank."""
        if self.size == 1:
            return [values]
        found = [torch.empty_like(values) for _ in range(self.size)]
        dist.all_gather(found, values)
        return found

    def from_leader(self, value: T) -> T:
        """Return the `value` of the leading process."""
        if self.size == 1:
            return value
        held = [value]
        dist.broadcast_object_list(held)
        return held[0]

    def replicated(self, module: nn.Module) -> nn.Module:
        """Return a module whose gradients, after `backward`, are the sum over the team.

        Trainable batch norms share their statistics (SyncBatchNorm).

        Raises:
            ParamsError: there are such batch norms on a CPU, for which torch has no SyncBatchNorm.
        """
        if self.size == 1:
            return module
        norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.training]
        if norms and self.device.type == "cpu":
            raise ParamsError("batch_norm: 'train' with several processes needs GPUs; set it to frozen")
        if norms:
            # torch's own loses the activation inside timm's batch norms
            from timm.layers.norm_act import convert_sync_batchnorm

            module = convert_sync_batchnorm(module)
        # Some parameters are reached by no loss, for example in AuxSegNet+ that refines with the pairwise map alone.
        # Searching for them also keeps the gradient buckets, and so the order of sums, the same from the first step
        # on: a resumed run then adds in the same order as an uninterrupted one.
        # The warning is about strides of 1x1 convolutions, which describe the same memory layout.
        warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
        return DistributedDataParallel(module, find_unused_parameters=True)

    def backward(self, loss: Tensor) -> None:
        """Accumulate the gradients of a loss that is this process's share of the team's loss."""
        # DistributedDataParallel averages over processes, and the team needs the sum
        (loss * self.size if self.size > 1 else loss).backward()

    def no_sync(self, module: nn.Module) -> AbstractContextManager[None]:
        """Return a context in which gradients of a `replicated` module stay local, to be combined later."""
        return module.no_sync() if isinstance(module, DistributedDataParallel) else contextlib.nullcontext()

    def wait(self) -> None:
        """Wait until all processes have reached this call."""
        if self.size > 1:
            dist.barrier()


def train_together(params: TrainingParams, runtime: RuntimeParams, train: Callable[[Team], None]) -> None:
    """Call `train` in every process that `params` asks for. If there are several, this process only starts them.

    Raises:
        ParamsError, ResourceError: see `joined_team`.
        SystemExit: a started process failed; has its exit code.
    """
    if not launch(params, runtime.threads):
        with joined_team(params, prepare_device(runtime, training=True)) as team:
            train(team)


@contextlib.contextmanager
def joined_team(params: TrainingParams, device: torch.device) -> Iterator[Team]:
    """Yield the team that this process belongs to; on GPUs, each process has its own GPU.

    Raises:
        ParamsError: torchrun started a different number of processes.
        ResourceError: a GPU is missing, or another process ended.
    """
    started = 1 if torchrun_rank() is None else int(os.environ["WORLD_SIZE"])
    if started != params.processes:
        raise ParamsError(
            f"{params.key}: devices x nodes is {params.processes}, but {started} processes were started; start that "
            "many, or change devices and nodes"
        )
    if started == 1:
        yield Team(device)
        return
    local = int(os.environ["LOCAL_RANK"])
    if device.type == "cuda":
        if (count := torch.cuda.device_count()) <= local:
            raise ResourceError(
                f"{params.key}.devices: this machine shows {counted(count, 'GPU')}; lower it, or take another machine"
            )
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    # counts, losses and decisions are exchanged on the CPU; gradients of GPUs go through NCCL
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield Team(device, dist.get_rank(), started)
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "Connection closed by peer" in str(error):
            raise ResourceError("another process of this training ended; its own message says why") from error
        raise
    # not after an error: the other processes would then end before this one has reported what is wrong
    dist.destroy_process_group()
