"""One pass of a round's network over images: the maps that are cached between rounds (docs/method.md section 2)."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from auxseg.models.auxsegnet import AuxSegNet
from auxseg.models.classifier import normalise_cam


@torch.no_grad()
def propagate_image(
    network: AuxSegNet, image: Tensor, classes: Sequence[int], *, renormalise: bool, low_precision: bool
) -> dict[str, np.ndarray]:
    """Return what one image leaves behind, at network resolution.

    Args:
        network: in eval mode.
        image: float (1, 3, H, W) in 0..255.
        classes: positions 0..C-1 of the L classes that the image is labelled with.
        renormalise: divide each refined CAM by its maximum again.
        low_precision: bfloat16 where it pays.

    Returns:
        cam: refined CAM, float16 (L, h, w); saliency: sigma(P_sal'), float16 (h, w); prediction: argmax of P_seg',
        uint8 (h, w); confidence: its softmax probability, float16 (h, w); entropy: how widely each position's row of
        A_CT^p spreads, float16 (h, w) in 0 (one position) .. 1 (all alike).
    """
    outputs = network(image, low_precision=low_precision)
    cam = network.refined_cam(outputs)[0, list(classes)]
    if renormalise:
        cam = normalise_cam(cam)
    confidence, prediction = torch.softmax(outputs.refined_segmentation[0], dim=0).max(dim=0)
    pairwise = outputs.pairwise
    entropy = torch.zeros_like(confidence) if pairwise is None else affinity_entropy(pairwise[0])
    return {
        "cam": cam.cpu().numpy().astype(np.float16),
        "saliency": torch.sigmoid(outputs.refined_saliency[0, 0]).cpu().numpy().astype(np.float16),
        "prediction": prediction.cpu().numpy().astype(np.uint8),
        "confidence": confidence.cpu().numpy().astype(np.float16),
        "entropy": entropy.view_as(confidence).cpu().numpy().astype(np.float16),
    }


def affinity_entropy(affinity: Tensor) -> Tensor:
    """Return the entropy of each row of an affinity (N, N) over log N, (N,) in [0, 1]; rows need not sum to 1."""
    rows = affinity / affinity.sum(dim=1, keepdim=True)
    return torch.special.entr(rows).sum(dim=1) / max(math.log(len(rows)), 1e-5)
