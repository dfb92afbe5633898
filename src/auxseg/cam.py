"""Multi-scale class activation maps, as in PSA (docs/method.md section 2, r0)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from auxseg.models.classifier import Classifier, normalise_cam
from auxseg.models.inputs import scaled


@torch.no_grad()
def multi_scale_cam(
    network: Classifier, image: Tensor, classes: Sequence[int], scales: Sequence[float], flip: bool
) -> Tensor:
    """Return CAMs of some classes, float32 (L, h, w) in [0, 1], on the network's grid at scale 1.

    For each scale and flip: ReLU, resample to that grid, un-flip. Then sum, and divide each class by its maximum +
    1e-5.

    Args:
        network: the classifier, in eval mode.
        image: float (1, 3, H, W) in 0..255.
        classes: positions 0..C-1 of the L requested classes.
        scales: factors of the input size.
        flip: add the maps of the mirrored image.
    """
    views = []
    for scale in sorted(scales, key=lambda scale: scale != 1):  # scale 1 first, because it sets the grid
        resized = scaled(image, scale)
        batch = torch.cat([resized, resized.flip(3)]) if flip else resized
        cam = F.relu(network.cam(batch)[:, list(classes)].float())
        views.append(cam[:1] + cam[1:].flip(3) if flip else cam)
    grid = views[0].shape[-2:] if 1 in scales else _grid(network, image)
    total = sum(F.interpolate(view, size=grid, mode="bilinear", align_corners=False) for view in views)
    return normalise_cam(total[0])


def _grid(network: Classifier, image: Tensor) -> tuple[int, int]:
    height, width = network.backbone(image).shape[-2:]
    return height, width
