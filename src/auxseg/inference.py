"""Multi-scale inference of a round's network (docs/method.md section 2, "Final")."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from auxseg.models.auxsegnet import AuxSegNet
from auxseg.models.inputs import scaled


@torch.no_grad()
def predict(
    network: AuxSegNet,
    image: Tensor,
    scales: Sequence[float],
    *,
    flip: bool,
    combine: Literal["mean", "max"],
    low_precision: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Return softmax of P_seg' at image size, single-scale and multi-scale, each float32 (C + 1, H, W).

    The multi-scale result is the mean (or the maximum, renormalised) over scales and flips. The single-scale result is
    the view at scale 1 without flip.

    Args:
        network: in eval mode.
        image: float (1, 3, H, W) in 0..255.
        scales: factors of the input size, 1 among them.
        flip: add the mirrored image.
        combine: how views are combined.
        low_precision: use bfloat16 where it is faster.
    """
    single, joined = None, torch.zeros((), device=image.device)
    join = torch.add if combine == "mean" else torch.maximum
    for scale in scales:
        resized = scaled(image, scale)
        batch = torch.cat([resized, resized.flip(3)]) if flip else resized
        logits = network(batch, low_precision=low_precision).refined_segmentation
        up = F.interpolate(logits, size=image.shape[-2:], mode="bilinear", align_corners=False)
        probabilities = torch.softmax(up, dim=1)
        if scale == 1:
            single = probabilities[0]
        # one view at a time, because all of them at image size would take gigabytes with 80 classes
        joined = join(joined, probabilities[0])
        if flip:
            joined = join(joined, probabilities[1].flip(2))
    if combine == "mean":
        joined = joined / (len(scales) * (2 if flip else 1))
    joined = joined / joined.sum(dim=0, keepdim=True)
    return single.cpu().numpy(), joined.cpu().numpy()
