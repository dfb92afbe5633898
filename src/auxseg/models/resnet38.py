"""ResNet38, "wider or deeper" (Wu, Shen and van den Hengel, arXiv 1611.10080), dilated to output stride 8.

P1's backbone, in the form that PSA introduced to this field. Layers have the names of the published weight files (PSA,
SEAM, AuxSegNet), so that these need no renaming.
"""

from collections import OrderedDict
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

CHANNELS = 4096


@dataclass(frozen=True)
class Convolution:
    """One convolution of a block's branch, after batch norm, ReLU and, if any, channel dropout."""

    name: str
    channels: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    dropout: float = 0.0


class Block(nn.Module):
    """Pre-activation residual block: shortcut + branch. With `project`, the shortcut is a projection.

    The projection is applied to the first activation, not to the block's input.
    """

    def __init__(self, in_channels: int, branch: list[Convolution], *, project: bool):
        super().__init__()
        self.names = [layer.name for layer in branch]
        channels = in_channels
        for layer in branch:
            reach = layer.dilation * (layer.kernel // 2)
            convolution = nn.Conv2d(
                channels, layer.channels, layer.kernel, layer.stride, reach, layer.dilation, bias=False
            )
            self.add_module(f"bn_branch{layer.name}", nn.BatchNorm2d(channels))
            self.add_module(f"dropout_{layer.name}", nn.Dropout2d(layer.dropout) if layer.dropout else nn.Identity())
            self.add_module(f"conv_branch{layer.name}", convolution)
            channels = layer.channels
        self.conv_branch1 = nn.Conv2d(in_channels, channels, 1, branch[0].stride, bias=False) if project else None

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, out, h, w) for (B, in, h * stride, w * stride)."""
        shortcut = x
        for index, name in enumerate(self.names):
            x = F.relu(self.get_submodule(f"bn_branch{name}")(x))
            if index == 0 and self.conv_branch1 is not None:
                shortcut = self.conv_branch1(x)
            x = self.get_submodule(f"conv_branch{name}")(self.get_submodule(f"dropout_{name}")(x))
        return shortcut + x


def _basic(middle: int, out: int, *, stride: int = 1, dilations: tuple[int, int] = (1, 1)) -> list[Convolution]:
    return [
        Convolution("2a", middle, 3, stride, dilations[0]),
        Convolution("2b1", out, 3, dilation=dilations[1]),
    ]


def _bottleneck(out: int, *, dilation: int, dropout: float) -> list[Convolution]:
    return [
        Convolution("2a", out // 4, 1),
        Convolution("2b1", out // 2, 3, dilation=dilation, dropout=dropout),
        Convolution("2b2", out, 1, dropout=dropout),
    ]


def build_resnet38() -> nn.Sequential:
    """Return the network up to its last batch norm and ReLU: normalised RGB (B, 3, H, W) -> (B, 4096, H / 8, W / 8)."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(conv1a=nn.Conv2d(3, 64, 3, padding=1, bias=False))
    channels = 64
    for name, blocks, middle, out, stride, dilations in (
        ("b2", 3, 128, 128, 2, (1, 1)),
        ("b3", 3, 256, 256, 2, (1, 1)),
        ("b4", 6, 512, 512, 2, (1, 1)),
        ("b5", 3, 512, 1024, 1, (1, 2)),  # stride replaced by dilation, except in the first convolution
    ):
        layers[name] = Block(channels, _basic(middle, out, stride=stride, dilations=dilations), project=True)
        for index in range(1, blocks):
            same = _basic(middle, out, dilations=(dilations[1], dilations[1]))
            layers[f"{name}_{index}"] = Block(out, same, project=False)
        channels = out
    layers["b6"] = Block(1024, _bottleneck(2048, dilation=4, dropout=0.3), project=True)
    layers["b7"] = Block(2048, _bottleneck(CHANNELS, dilation=4, dropout=0.5), project=True)
    layers["bn7"] = nn.BatchNorm2d(CHANNELS)
    layers["relu"] = nn.ReLU()
    return nn.Sequential(layers)
