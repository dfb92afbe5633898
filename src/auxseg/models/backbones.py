"""Backbones: images in 0..255 in, features at the output stride out (docs/method.md section 1.1).

Each backbone normalises its own input, so no caller can use the wrong statistics.
"""

import itertools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from auxseg.models.pretrained import pretrained_state
from auxseg.models.resnet38 import CHANNELS, build_resnet38
from auxseg.models.timm_backbone import build_timm
from auxseg.params.backbone import BackboneParams

if TYPE_CHECKING:
    from timm.models.efficientnet import EfficientNet

EXAMPLE_SIDE = 64
"""Side of the image of `Backbone.run_example`."""

IMAGENET_MEAN = [255 * value for value in (0.485, 0.456, 0.406)]
IMAGENET_STD = [255 * value for value in (0.229, 0.224, 0.225)]


class Backbone(nn.Module):
    """Features F, float (B, `channels`, h, w), of images, float (B, 3, H, W) RGB in 0..255; h = ceil(H / stride).

    `layers` (an argument of the constructor) are the parts of the body, starting at the input: the first convolution,
    then the groups of blocks between which the grid or the width changes. `dense_convolutions` says whether bfloat16 is
    faster: depthwise convolutions are slower in bfloat16.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        body: nn.Module,
        layers: Sequence[Sequence[nn.Module | nn.Parameter]],
        channels: int,
        mean: Sequence[float],
        std: Sequence[float],
        dense_convolutions: bool,
    ):
        super().__init__()
        self.body = body
        self._layers = layers
        self.channels = channels
        self.dense_convolutions = dense_convolutions
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images in 0..255."""
        normalised = (images - self.mean) / self.std
        features: Tensor = self.body(normalised.contiguous(memory_format=torch.channels_last))
        return features

    def with_layers(self, images: Tensor, layers: Sequence[int]) -> tuple[Tensor, list[Tensor]]:
        """Return the features of images in 0..255, and the outputs of some of the layers, mostly (B, K_i, h_i, w_i)."""
        found: dict[int, Tensor] = {}
        hooks = [self._on_output(layer, found) for layer in layers]
        try:
            features = self(images)
        finally:
            for hook in hooks:
                hook.remove()
        return features, [found[layer] for layer in layers]

    def grids(self) -> dict[int, tuple[int, int]]:
        """Return the stride and the channels of each layer whose output is a map, by the layer's number."""
        found: dict[int, Tensor] = {}
        numbers = [number for number, layer in enumerate(self._layers) if isinstance(layer[-1], nn.Module)]
        hooks = [self._on_output(number, found) for number in numbers]
        try:
            self.run_example()
        finally:
            for hook in hooks:
                hook.remove()
        return {
            number: (EXAMPLE_SIDE // maps.shape[3], maps.shape[1])
            for number, maps in sorted(found.items())  # without layers whose last part is never called as a module
            if isinstance(maps, Tensor) and maps.dim() == 4
        }

    def run_example(self) -> None:
        """Run once on a black image, in eval mode, so that nothing draws random numbers or counts statistics."""
        modes = {module: module.training for module in self.modules()}
        try:
            with torch.no_grad():
                self.eval()(torch.zeros(1, 3, EXAMPLE_SIDE, EXAMPLE_SIDE, device=self.mean.device))
        finally:
            for module, mode in modes.items():
                module.training = mode

    def _on_output(self, layer: int, found: dict[int, Tensor]) -> RemovableHandle:
        def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            found[layer] = output

        last = self._layers[layer][-1]
        if not isinstance(last, nn.Module):
            raise TypeError(f"layer {layer} ends with a parameter, which has no output")
        return last.register_forward_hook(keep)

    def freeze(self, count: int) -> None:
        """Freeze the first `count` layers (docs/method.md section 3); no gradient is computed for them.

        As many as there are, or more, freeze the whole body: a last convolution or norm may be in no layer.
        """
        parts = [self.body] if count >= len(self._layers) else itertools.chain(*self._layers[:count])
        for part in parts:
            part.requires_grad_(False)


class _TimmFeatures(nn.Module):
    """A timm network without its classifier."""

    def __init__(self, network: "EfficientNet"):
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.forward_features(images)


def _efficientnet_lite0(stride: int) -> Backbone:
    import timm  # imported here because the import takes longer than most stages need for a small shard

    network = cast("EfficientNet", timm.create_model("tf_efficientnet_lite0", output_stride=stride, num_classes=0))
    layers = [[network.conv_stem, network.bn1], *([group] for group in network.blocks)]
    return Backbone(_TimmFeatures(network), layers, 1280, [127.0] * 3, [128.0] * 3, dense_convolutions=False)


def _resnet(name: str, channels: int) -> Callable[[int], Backbone]:
    def build(stride: int) -> Backbone:
        import torchvision

        network = getattr(torchvision.models, name)(weights=None)
        dilation = 1
        for layer, layer_stride in ((network.layer3, 16), (network.layer4, 32)):
            if layer_stride > stride:
                dilation *= 2
                _dilate(layer, dilation)
        del network.avgpool, network.fc
        parts: OrderedDict[str, nn.Module] = OrderedDict(network.named_children())  # torchvision's are in order
        layers = [[parts["conv1"], parts["bn1"]], *([parts[f"layer{group}"]] for group in (1, 2, 3, 4))]
        return Backbone(nn.Sequential(parts), layers, channels, IMAGENET_MEAN, IMAGENET_STD, dense_convolutions=True)

    return build


def _dilate(layer: nn.Module, dilation: int) -> None:
    # torchvision itself dilates Bottleneck blocks only, and ResNet-18 has BasicBlocks. A convolution that loses its
    # stride keeps the dilation of the layer before, because its input is still on that grid. All others are on the new
    # one.
    for module in layer.modules():
        if isinstance(module, nn.Conv2d):
            rate = dilation // 2 if module.stride == (2, 2) else dilation
            module.stride = (1, 1)
            if module.kernel_size == (3, 3):
                module.dilation = module.padding = (rate, rate)


def _resnet38(stride: int) -> Backbone:
    if stride != 8:
        raise ValueError(f"resnet38 has output stride 8, not {stride}")  # BackboneParams rejects it earlier
    body = build_resnet38()
    groups = itertools.groupby(body.named_children(), key=lambda child: child[0].split("_")[0])
    layers = [[module for _, module in group] for _, group in groups]
    return Backbone(body, layers, CHANNELS, IMAGENET_MEAN, IMAGENET_STD, dense_convolutions=True)


BACKBONES: dict[str, Callable[[int], Backbone]] = {
    "efficientnet_lite0": _efficientnet_lite0,
    "resnet18": _resnet("resnet18", 512),
    "resnet50": _resnet("resnet50", 2048),
    "resnet101": _resnet("resnet101", 2048),
    "resnet38": _resnet38,
}


def build_backbone(params: BackboneParams, *, pretrained: bool) -> Backbone:
    """Build a backbone, randomly initialised or (`pretrained`) with the weights that `backbone.weights` names.

    Raises:
        ParamsError: timm has no such model, or not with these parameters.
        DataError: the weights are not available or do not fit.
    """
    pretrained = pretrained and params.weights != "random"
    if params.is_timm:
        return Backbone(*build_timm(params, pretrained=pretrained))
    backbone = BACKBONES[params.name](params.output_stride)
    if pretrained:
        backbone.body.load_state_dict(pretrained_state(params, backbone.body.state_dict()))
    return backbone
