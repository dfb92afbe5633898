"""Part of gpu.py: what the networks compute on a GPU, against the CPU, and whether a training step ever waits."""

import argparse
from collections.abc import Iterator
from typing import Any

import torch
from gpu_rows import at_most, on_device, random_network, random_part, row
from torch import Tensor, nn

from auxseg.models import tiles
from auxseg.models.auxsegnet import AuxSegNet
from auxseg.params.optimiser import OptimiserParams
from auxseg.params.runtime import RuntimeParams
from auxseg.params.train import TrainParams
from auxseg.training import descent
from auxseg.training.augment import PixelSample
from auxseg.training.descent import Descent
from auxseg.training.distributed import Team
from auxseg.training.multi_task import training_step
from auxseg.training.optimiser import build_optimiser, polynomial
from auxseg.training.state import TrainingState

NETWORKS = {
    "EfficientNet-Lite0, AuxSegNet": ("efficientnet_lite0", 16, {}),
    "ResNet50, AuxSegNet+": ("resnet50", 16, {"variant": "auxsegnet_plus"}),
    "ResNet38, AuxSegNet": ("resnet38", 8, {}),
}
FLOAT32, BFLOAT16 = 1e-4, 0.1
"""Bounds of differences, relative to the largest value; of gradients, to their norm."""
STEPS = 8


def measure(device: torch.device, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the rows."""
    crop = 64 if arguments.tiny else 161
    names = list(NETWORKS)[:1] if arguments.tiny else NETWORKS
    rows: list[dict[str, Any]] = []
    for name in names:
        backbone, stride, network = NETWORKS[name]
        rows += compare(name, random_network(backbone, stride, **network), random_part(2, crop), device)
    rows += waits(random_network(*NETWORKS[next(iter(names))][:2]), random_part(2, crop), device)
    return rows


def compare(name: str, network: AuxSegNet, part: PixelSample, device: torch.device) -> Iterator[dict[str, Any]]:
    """Yield the differences of outputs and gradients from those of the CPU in float32."""
    for module in network.modules():
        if isinstance(module, nn.Dropout2d):
            module.p = 0.0  # drawn by another generator there
    wanted = values(network, part, torch.device("cpu"), "float32")
    for precision, most in (("float32", FLOAT32), ("bfloat16", BFLOAT16)):
        for kind, found in values(network, part, device, precision).items():
            yield at_most(f"{name}, {precision}", f"{kind}, difference", distance(found, wanted[kind]), most)
    dense, tiles.DENSE_POSITIONS = tiles.DENSE_POSITIONS, 0
    try:
        found = values(network, part, device, "float32")
    finally:
        tiles.DENSE_POSITIONS = dense
    for kind in found:
        yield at_most(f"{name}, in tiles", f"{kind}, difference", distance(found[kind], wanted[kind]), FLOAT32)


def values(network: AuxSegNet, part: PixelSample, device: torch.device, precision: Any) -> dict[str, Tensor]:
    """Return predictions, losses and the gradient of all parameters, on the CPU."""
    network.to(device).zero_grad(set_to_none=True)
    moved, divisors = on_device(part, device)
    low = precision == "bfloat16"
    with torch.no_grad():
        outputs = network(moved.image, low_precision=low)
    step = training_step(network, TrainParams(), RuntimeParams(precision=precision))
    losses = step(moved, divisors)
    losses["loss"].backward()
    gradients = [p.grad.flatten() for p in network.parameters() if p.grad is not None]
    found = {
        "segmentation": outputs.refined_segmentation,
        "saliency": outputs.refined_saliency,
        "classification": outputs.classification,
        "losses": torch.stack(list(losses.values())),
        "gradient": torch.cat(gradients),
    }
    return {kind: value.detach().double().cpu() for kind, value in found.items()}


def distance(found: Tensor, wanted: Tensor) -> float:
    """Return the norm of the difference over the norm."""
    return float((found - wanted).norm() / wanted.norm())


def waits(network: AuxSegNet, part: PixelSample, device: torch.device) -> list[dict[str, Any]]:
    """Take steps while torch forbids to wait for the GPU; a CPU has nothing to wait for."""
    params = TrainParams()
    network.to(device)
    optimiser = build_optimiser(network, OptimiserParams())
    state = TrainingState(network, optimiser, polynomial(optimiser, 1000, 0.9))
    step = training_step(network, params, RuntimeParams(precision="float32"))
    descend = Descent(state, step, Team(device), None)
    batch = part.map(lambda tensor: tensor.pin_memory()) if device.type == "cuda" else part
    descend([batch])
    descend.read_losses()
    if device.type == "cuda":
        torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(min(STEPS, descent.READ_EVERY["cuda"] - 1)):
            descend([batch])
    except RuntimeError as error:
        return [row("training step", "waits for the GPU", str(error).splitlines()[0], "never", False)]
    finally:
        if device.type == "cuda":
            torch.cuda.set_sync_debug_mode("default")
    descend.read_losses()
    return [row("training step", "steps without waiting", state.batch - 1, "all", device.type == "cuda" or None)]
