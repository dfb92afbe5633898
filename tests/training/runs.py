"""Short trainings in processes of their own, which may be killed. A fork server imports torch once for all of them."""

import contextlib
import itertools
import json
import logging
import multiprocessing
import os
import signal
import socket
import stat
import sys
from pathlib import Path

import torch
from tiny_networks import tiny_auxsegnet, tiny_backbone
from torch import nn

from auxseg.artifacts import atomic
from auxseg.errors import EXIT_REJECTED, AuxsegError
from auxseg.models.classifier import Classifier
from auxseg.models.weights import save_weights
from auxseg.params.classify import ClassifyParams
from auxseg.params.optimiser import OptimiserParams
from auxseg.params.train import LossParams
from auxseg.training.checkpoint import CheckpointFile
from auxseg.training.descent import READ_EVERY
from auxseg.training.distributed import joined_team
from auxseg.training.loop import fit
from auxseg.training.losses import classification_loss, multi_task_loss
from auxseg.training.samples import EpochOrder
from training.conftest import Photos

EPOCHS = 3
KILL, TERM = signal.SIGKILL, signal.SIGTERM
CHECKPOINT = Path("checkpoints/run.safetensors")


def start(*arguments, **options) -> multiprocessing.Process:
    """Start `train` in a process."""
    context = multiprocessing.get_context("forkserver")
    # modules of the package: the server does not know the tests' folders
    context.set_forkserver_preload(["auxseg.training.loop", "auxseg.models.auxsegnet"])
    process = context.Process(target=train, args=arguments, kwargs=options)
    process.start()
    return process


def run(*arguments, **options) -> int:
    """Run `train` in a process; return its exit code, negative for a signal."""
    process = start(*arguments, **options)
    process.join()
    return process.exitcode


WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = iter(range(20_000 + 500 * WORKER, 20_500 + 500 * WORKER))
"""One for each team: a port that the system picks may be taken by somebody else before the team has it."""


def free_port() -> int:
    """Return the next of PORTS that no other program on this machine has."""
    for port in PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("localhost", port))
            return port
    raise AssertionError("no port is left")


def run_team(size: int, *arguments, kill=("", 0, 0), struck: int = 0, **options) -> list[int]:
    """Run `train` in `size` processes, as torchrun would start them; return their exit codes.

    `kill` is for process `struck` alone.
    """
    port = free_port()
    processes = [
        start(*arguments, member=(rank, size, port), kill=kill if rank == struck else ("", 0, 0), **options)
        for rank in range(size)
    ]
    for process in processes:
        process.join(timeout=300)
        process.kill()  # one that still waits for the others
    return [process.exitcode for process in processes]


def train(
    folder: Path,
    kind: str,
    *,
    kill: tuple[str, int, int] = ("", 0, 0),
    member: tuple[int, int, int] | None = None,
    workers: int = 0,
    batch_size: int = 2,
    accumulate: int = 1,
    dropout: float = 0.5,
    checkpoints: bool = True,
    steps: int | None = None,
    bfloat16: bool = False,
    spoil: tuple[str, int, int] = ("", 0, 0),
    read_every: int = 1,
) -> None:
    """Train in `folder` and write weights.safetensors, curve.json and log.txt there.

    `kill` is (where, how often before, signal): "batch" in the middle of one, "write" before a checkpoint is whole.
    `spoil` is (what, step from 1 on, rank): the "loss" or the "gradient" of this process becomes NaN there.
    `member` is (rank, size, port) of a process of a team. `read_every` is after how many steps losses are read.
    """
    READ_EVERY["cpu"] = read_every
    torch.set_num_threads(1)
    os.chdir(folder)
    os.environ["AUXSEG_WORKERS"] = str(workers)
    logging.basicConfig(filename="log.txt", level=logging.INFO, format="%(message)s", force=True)
    rank, size, port = member or (0, 1, 0)
    if member:
        os.environ |= {"TORCHELASTIC_RUN_ID": "test", "MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size)}
    where, after, number = kill
    photos = Path(f"photos{rank}")
    photos.mkdir(exist_ok=True)
    strike = _strike(after, number)
    if where == "write":
        atomic.os = _Fsync(strike)
    network, step = network_and_step(kind, dropout, bfloat16)
    what, at, spoilt = spoil
    numbers = itertools.count(1)

    def killed_step(part, divisors):
        losses = step(part, divisors)
        if where == "batch":
            strike()
        if next(numbers) == at and rank == spoilt:
            lose(losses, what)
        return losses

    params = ClassifyParams(
        epochs=None if steps else EPOCHS,
        steps=steps,
        batch_size=batch_size,
        accumulate=accumulate,
        devices=size,
        batch_norm="train" if kind == "classify" else "frozen",
        optimiser=OptimiserParams(lr=0.02, warmup=0.3, clip_norm=5.0 if kind == "classify" else None),
    )
    with joined_team(params, torch.device("cpu")) as team:
        checkpoint = CheckpointFile(CHECKPOINT) if checkpoints and team.is_main else None
        samples = Photos(photos).samples(labels=kind != "classify")
        try:
            curve = fit(network, killed_step, samples, params, team, checkpoint)
        except AuxsegError as error:  # as the stage's `run` does
            if team.is_main:
                logging.error("%s", error)
            sys.exit(EXIT_REJECTED)
    if rank == 0:
        save_weights(Path("weights.safetensors"), network, {})
        Path("curve.json").write_text(json.dumps(curve))


def lose(losses: dict[str, torch.Tensor], what: str) -> None:
    """Make the loss NaN, or its gradient alone."""
    if what == "loss":
        losses["loss"] = losses["loss"] * float("nan")
    else:
        losses["loss"].register_hook(lambda gradient: gradient * float("nan"))


def batch_of(step: int, batch_size: int = 2) -> list[str]:
    """Return the ids of the images in the batch of a step, from 1 on, of any epoch, as the loader gets them."""
    order = EpochOrder(5, batch_size, 0)
    order.epoch, batch = divmod(step - 1, order.batches)
    order.epoch += 1
    return [f"img{position}" for _, position, _ in list(order)[batch]]


def network_and_step(kind: str, dropout: float, bfloat16: bool = False):
    """The stage's network and step, on a tiny backbone; the classifier's has a batch norm."""
    if kind == "train":
        network = tiny_auxsegnet(variant="auxsegnet_plus", refine_with="pairwise")
        network.classification.dropout.p = dropout
        return network, lambda part, divisors: multi_task_loss(
            network(part.image, low_precision=bfloat16), part, divisors, LossParams(), "soft"
        )
    torch.manual_seed(0)
    backbone = tiny_backbone()
    backbone.body = nn.Sequential(backbone.body, nn.BatchNorm2d(backbone.channels))
    network = Classifier(backbone, 3, dropout)
    return network, lambda part, divisors: {
        "loss": classification_loss(network(part.image), part.classes, divisors.images)
    }


def _strike(after: int, number: int):
    calls = iter(range(after, -1, -1))

    def strike():
        if number and next(calls, 1) == 0:
            os.kill(os.getpid(), number)

    return strike


class _Fsync:
    """The module os for atomic writes, with a strike before the flush of a file."""

    def __init__(self, strike):
        self._strike = strike

    def __getattr__(self, name):
        return getattr(os, name)

    def fsync(self, descriptor):
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            self._strike()
        os.fsync(descriptor)
