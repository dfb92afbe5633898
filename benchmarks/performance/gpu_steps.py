"""Part of gpu.py: training steps of ResNet38 at the paper's crop, the released network's and ours, by precision."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from gpu_rows import at_most, descent, on_device, random_network, random_part, row
from timing import timed
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from released_network import OUTPUTS, released_network

from auxseg.models.auxsegnet import AuxSegNet, Outputs
from auxseg.models.device import allow_tf32
from auxseg.params.runtime import RuntimeParams
from auxseg.params.train import TrainParams
from auxseg.training.augment import PixelSample
from auxseg.training.losses import Divisors, multi_task_loss
from auxseg.training.multi_task import training_step
from auxseg.training.optimiser import set_batch_norm

CROP, BATCHES, MATRIX = 321, (4, 16), 8192
PRECISIONS = ("float32", "tf32", "bfloat16")
RATIO, MEMORY = 0.25, 0.6
"""Of the released code's time and memory: what this project's step in bfloat16 should need at most."""


def measure(device: torch.device, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the rows."""
    backbone, stride = ("efficientnet_lite0", 16) if arguments.tiny else ("resnet38", 8)
    crop, batches, side, n = (64, (2,), 64, 1) if arguments.tiny else (CROP, BATCHES, MATRIX, 10)
    floors = {precision: matrix_rate(precision, side, device) for precision in PRECISIONS}
    rows = [row("matrix product", f"{precision}, TFLOP/s", rate) for precision, rate in floors.items()]
    for batch in batches:
        part, divisors = on_device(random_part(batch, crop), device)
        what = f"{backbone}, batch {batch}, crop {crop}"
        released: tuple[float, float] | None = None
        if arguments.released and not arguments.tiny:
            theirs = released_network(arguments.released).to(device)
            theirs.train(True)
            set_batch_norm(theirs, "frozen")
            allow_tf32(RuntimeParams(precision="float32"))
            found, released = figures(
                f"{what}, released, float32", released_step(theirs, part, divisors), theirs, n, device
            )
            rows += found
            del theirs
        for precision in PRECISIONS:
            name = f"{what}, {precision}"
            network = random_network(backbone, stride).to(device)
            loss = own_step(network, part, divisors, precision)
            found, (seconds, memory) = figures(name, loss, network, n, device)
            share = flops(loss) / seconds / 1e12 / floors[precision]
            rows += [*found, row(name, "share of the matrix rate", share)]
            if released and precision == "bfloat16":
                rows.append(at_most(name, "time, of the released", seconds / released[0], RATIO))
                rows.append(at_most(name, "memory, of the released", memory / released[1], MEMORY))
            del network, loss
    return rows


def own_step(network: AuxSegNet, part: PixelSample, divisors: Divisors, precision: Any) -> Callable[[], torch.Tensor]:
    """Return the loss of our network in a precision."""
    runtime = RuntimeParams(precision=precision)
    allow_tf32(runtime)
    step = training_step(network, TrainParams(), runtime)
    return lambda: step(part, divisors)["loss"]


def figures(
    name: str, loss: Callable[[], torch.Tensor], network: nn.Module, n: int, device: torch.device
) -> tuple[list[dict[str, Any]], tuple[float, float]]:
    """Return the rows of a training step, and its seconds and gigabytes."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    timing = timed(descent(network, loss), n, device)
    memory = torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else float("nan")
    rows = [
        row(name, "seconds a step", timing.median),
        row(name, "lowest", timing.low),
        row(name, "highest", timing.high),
        row(name, "peak, GB", memory),
    ]
    return rows, (timing.median, memory)


def released_step(network: nn.Module, part: PixelSample, divisors: Divisors) -> Callable[[], torch.Tensor]:
    """Return the loss of the released network, in float32 and torch's default layout, as its authors train it."""
    mean = torch.tensor([0.485, 0.456, 0.406], device=part.image.device).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225], device=part.image.device).view(1, 3, 1, 1)
    image = (part.image / 255 - mean) / std
    params = TrainParams()

    def loss() -> torch.Tensor:
        found = dict(zip(OUTPUTS, network(image, require_cam=True), strict=True))
        features = found.pop("cam")
        outputs = Outputs(**found, unary=None, features=features, decoded=None)
        return multi_task_loss(outputs, part, divisors, params.loss, params.saliency_target)["loss"]

    return loss


def matrix_rate(precision: str, side: int, device: torch.device) -> float:
    """Return TFLOP/s of a matrix product."""
    allow_tf32(RuntimeParams(precision=precision))
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    matrix = torch.rand(side, side, device=device).to(kind)
    return 2e-12 * side**3 / timed(lambda: matrix @ matrix, 10, device).median


def flops(loss: Callable[[], torch.Tensor]) -> float:
    """Return the floating-point operations of a loss and its gradient."""
    with FlopCounterMode(display=False) as counter:
        loss().backward()
    return float(counter.get_total_flops())
