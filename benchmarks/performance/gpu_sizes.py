"""Part of gpu.py: the largest square image that a network is trained on, and run on, before memory ends."""

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
from gpu_rows import on_device, random_network, random_part, row

from auxseg.models.auxsegnet import AuxSegNet
from auxseg.params.runtime import RuntimeParams
from auxseg.params.train import TrainParams
from auxseg.propagation import propagate_image
from auxseg.training.multi_task import training_step

NETWORKS = (("resnet38", 8), ("resnet50", 16))
"""Backbone and stride; ResNet38 has no other one."""
SIDES = (512, 1024, 1536, 2048, 3072, 4096, 6144, 8192)
LONGEST = 20.0
"""Seconds: no larger image is tried after one that took longer."""


def measure(device: torch.device, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the rows."""
    rows: list[dict[str, Any]] = []
    networks, sides = ((("efficientnet_lite0", 16),), (64, 96)) if arguments.tiny else (NETWORKS, SIDES)
    for backbone, stride in networks:
        network = random_network(backbone, stride).to(device)
        for what, run in (("inference", infer), ("training", descend)):
            rows += largest(f"{backbone}, stride {stride}, {what}", network, run, sides, device)
    return rows


def largest(
    what: str,
    network: AuxSegNet,
    run: Callable[[AuxSegNet, int, torch.device], object],
    sides: tuple[int, ...],
    device: torch.device,
) -> list[dict[str, Any]]:
    """Return side, seconds and memory of the largest image that fits, and why a larger one was not tried."""
    best: list[dict[str, Any]] = []
    for side in sides:
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        started = time.perf_counter()
        try:
            run(network, side, device)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            return [*best, row(what, "too large, pixels", side)]
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds = time.perf_counter() - started
        peak = torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else float("nan")
        best = [row(what, "largest side, pixels", side), row(what, "seconds", seconds), row(what, "peak, GB", peak)]
        if seconds > LONGEST:
            return [*best, row(what, "larger ones", "too slow")]
    return best


def infer(network: AuxSegNet, side: int, device: torch.device) -> None:
    """Make the maps of an image, as `propagate` does."""
    network.eval()
    image = torch.rand(1, 3, side, side, device=device) * 255
    propagate_image(network, image, [0, 1], renormalise=True, low_precision=True)


def descend(network: AuxSegNet, side: int, device: torch.device) -> None:
    """Compute the gradient of a batch of one image."""
    part, divisors = on_device(random_part(1, side), device)
    step = training_step(network, TrainParams(), RuntimeParams(precision="bfloat16"))
    network.zero_grad(set_to_none=True)
    step(part, divisors)["loss"].backward()
    network.zero_grad(set_to_none=True)
