"""The losses of docs/method.md section 1: l1 L_cls + l2 (BCE(P_sal) + BCE(P_sal')) + l3 (CE(P_seg) + CE(P_seg'))."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from auxseg.images import IGNORE
from auxseg.models.auxsegnet import Outputs
from auxseg.params.train import LossParams
from auxseg.training.augment import Sample


def saliency_loss(logits: Tensor, target: Tensor, mode: Literal["binary", "soft"]) -> Tensor:
    """Return the mean binary cross-entropy over pixels that have a saliency label.

    Args:
        logits: (B, 1, h, w), upsampled bilinearly to the target's size.
        target: (B, 1, H, W) in [0, 1]; a negative value is padding and left out.
        mode: binary cuts the target at 0.5, soft takes it as it is.
    """
    known = target >= 0
    wanted = (target > 0.5).float() if mode == "binary" else target.clamp(min=0)
    losses = F.binary_cross_entropy_with_logits(_upsample(logits, target), wanted, reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


def segmentation_loss(logits: Tensor, label: Tensor) -> Tensor:
    """Return the mean cross-entropy over pixels whose label is not 255 (0 if there is none).

    Args:
        logits: (B, C + 1, h, w), upsampled bilinearly to the label's size.
        label: (B, 1, H, W) class indices and 255.
    """
    target = label[:, 0].long()
    total = F.cross_entropy(_upsample(logits, label), target, ignore_index=IGNORE, reduction="sum")
    return total / (target != IGNORE).sum().clamp(min=1)


def multi_task_loss(
    outputs: Outputs, batch: Sample, weights: LossParams, saliency_target: Literal["binary", "soft"]
) -> dict[str, Tensor]:
    """Return the weighted sum as `loss` and its parts, each a scalar."""
    parts = {
        "classification": F.multilabel_soft_margin_loss(outputs.classification, batch.classes),
        "saliency": saliency_loss(outputs.saliency, batch.saliency, saliency_target),
        "refined_saliency": saliency_loss(outputs.refined_saliency, batch.saliency, saliency_target),
        "segmentation": segmentation_loss(outputs.segmentation, batch.label),
        "refined_segmentation": segmentation_loss(outputs.refined_segmentation, batch.label),
    }
    total = (
        weights.classification * parts["classification"]
        + weights.saliency * (parts["saliency"] + parts["refined_saliency"])
        + weights.segmentation * (parts["segmentation"] + parts["refined_segmentation"])
    )
    return {"loss": total, **parts}


def _upsample(logits: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(logits, size=like.shape[-2:], mode="bilinear", align_corners=False)
