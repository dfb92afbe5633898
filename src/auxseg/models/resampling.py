"""Maps and images on another grid."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def resample(maps: Tensor, size: Sequence[int], *, antialias: bool = False) -> Tensor:
    """Return maps (B, C, H, W), float, resampled bilinearly to `size`, height and width.

    `antialias` averages over the pixels that a reduction joins.
    """
    if maps.is_cuda and not maps.requires_grad and not antialias:
        # Under runtime.deterministic, torch's function is many small ones, because the gradient of the one kernel has
        # no fixed order. They need several times the memory of the result; the kernel itself always adds alike.
        resampled: Tensor = torch.ops.aten.upsample_bilinear2d.vec(maps, list(size), False, None)
        return resampled
    return F.interpolate(maps, size=size, mode="bilinear", align_corners=False, antialias=antialias)
