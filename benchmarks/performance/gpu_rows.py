"""The rows of gpu.py's tables, and the network and batch that several parts measure."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from auxseg.models.auxsegnet import AuxSegNet, build_auxsegnet
from auxseg.models.folding import fold_batch_norms
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import NetworkParams
from auxseg.params.train import TrainParams
from auxseg.training.augment import PixelSample
from auxseg.training.losses import Divisors
from auxseg.training.optimiser import build_optimiser, set_batch_norm

CLASSES = 20


def row(what: str, figure: str, value: Any, bound: str = "", ok: bool | None = None) -> dict[str, Any]:
    """Return a row; `ok` None: the figure is no check."""
    text = f"{value:.4g}" if isinstance(value, float) else value
    return {"what": what, "figure": figure, "value": text, "bound": bound, "ok": {None: "", True: "yes"}.get(ok, "no")}


def at_most(what: str, figure: str, value: float, most: float) -> dict[str, Any]:
    """Return the row of a figure that must not exceed `most`; NaN does."""
    return row(what, figure, value, f"<= {most:g}", value <= most)


def random_network(backbone: str, stride: int, **network: Any) -> AuxSegNet:
    """Return a network with random weights from seed 0 on the CPU, ready to be trained as in `fit`."""
    torch.manual_seed(0)
    built = build_auxsegnet(
        BackboneParams(name=backbone, output_stride=stride, weights="random"), NetworkParams(**network), CLASSES
    )
    set_batch_norm(built.to(memory_format=torch.channels_last).train(), "frozen")
    fold_batch_norms(built)
    return built


def on_device(part: PixelSample, device: torch.device) -> tuple[PixelSample, Divisors]:
    """Return a batch as the network gets it, and what its losses are divided by, on the device."""
    moved = part.map(lambda tensor: tensor.to(device))
    return replace(moved, image=moved.image.float()), Divisors(*(value.to(device) for value in Divisors.of(part)))


def descent(network: nn.Module, loss: Callable[[], Tensor]) -> Callable[[], None]:
    """Return what takes a step of the optimiser with the gradient of `loss`."""
    optimiser = build_optimiser(network, TrainParams().optimiser)

    def descend() -> None:
        optimiser.zero_grad(set_to_none=True)
        loss().backward()
        optimiser.step()

    return descend


def random_part(batch: int, crop: int) -> PixelSample:
    """Return a batch of random images and labels from seed 1, on the CPU."""
    random = torch.Generator().manual_seed(1)
    return PixelSample(
        torch.randint(0, 256, (batch, 3, crop, crop), generator=random, dtype=torch.uint8),
        torch.ones(batch, CLASSES),
        torch.randint(0, CLASSES + 1, (batch, 1, crop, crop), generator=random, dtype=torch.uint8),
        torch.rand(batch, 1, crop, crop, generator=random),
    )
