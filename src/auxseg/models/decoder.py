"""A light decoder: predictions at stride 4 from the branches' features and the backbone's earlier ones.

Not in the papers, whose predictions stay on the backbone's grid (`network.decoder: null`). Affinities stay there too:
on a grid of stride 4 they would have 256 times as many entries as at stride 16. As in DeepLabV3+ (arXiv 1802.02611), a
few channels of the backbone's features at strides 8 and 4 tell where edges are; its result is added to the refined
predictions, so training starts from the papers' network.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auxseg.errors import ParamsError
from auxseg.models.backbones import Backbone
from auxseg.models.resampling import resample

STRIDES = (8, 4)
"""Grids that are joined, one after the other."""
LATERAL = 32
"""Channels taken from the backbone on each grid."""


class Decoder(nn.Module):
    """Corrections to P_sal' and P_seg' on the grid of stride 4.

    Raises:
        ParamsError: the backbone has no features at stride 4 below its output stride, as transformers have none.
    """

    def __init__(self, backbone: Backbone, stride: int, in_channels: int, out_channels: int, channels: int):
        super().__init__()
        grids = backbone.grids()
        found = {grid: (layer, width) for layer, (grid, width) in grids.items()}  # the deepest layer of each
        wanted = [one for one in STRIDES if one < stride]
        if missing := [one for one in wanted or STRIDES if one not in found]:
            raise ParamsError(
                f"params.yaml: key 'network.decoder': the backbone has no features of stride {missing[0]}, which a "
                "decoder reads; set it to null, or take another backbone, such as resnet50"
            )
        self.layers = [found[one][0] for one in wanted]
        """The backbone's layers whose features `forward` takes."""
        self.reduce = nn.Conv2d(in_channels, channels, 1)
        self.lateral = nn.ModuleList(nn.Conv2d(found[one][1], LATERAL, 1) for one in wanted)
        self.join = nn.ModuleList(_separable(channels + LATERAL, channels) for _ in wanted)
        self.predict = nn.Conv2d(channels, out_channels, 1)
        nn.init.zeros_(self.predict.weight)
        nn.init.zeros_(self.predict.bias)  # type: ignore[arg-type]  # it has one

    def forward(self, features: Tensor, earlier: Sequence[Tensor]) -> Tensor:
        """Return corrections, (B, out, h4, w4).

        Args:
            features: of both branches, (B, in, h, w).
            earlier: the backbone's features of `layers`, (B, K_i, h_i, w_i).
        """
        joined = F.relu(self.reduce(features))
        for lateral, join, maps in zip(self.lateral, self.join, earlier, strict=True):
            joined = join(torch.cat([resample(joined, maps.shape[-2:]), F.relu(lateral(maps))], dim=1))
        corrections: Tensor = self.predict(joined)
        return corrections


def _separable(in_channels: int, out_channels: int) -> nn.Sequential:
    # depthwise first: a full 3 x 3 convolution at stride 4 would cost a CPU half as much as the whole backbone
    depthwise = nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels)
    return nn.Sequential(depthwise, nn.ReLU(), nn.Conv2d(in_channels, out_channels, 1), nn.ReLU())
