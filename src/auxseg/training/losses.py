"""The losses of docs/method.md section 1: l1 L_cls + l2 (BCE(P_sal) + BCE(P_sal')) + l3 (CE(P_seg) + CE(P_seg')).

Each loss is a mean over images, or over the pixels that have a label. A batch may be split into parts, on several GPUs
or one after the other. The loss of a part is its sum divided by the count of the *whole* batch, so that losses and
gradients of the parts add up to those of the batch. Means of means would not, because parts differ in their labelled
pixels.
"""

from typing import Literal, NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from auxseg.encoded import IGNORE
from auxseg.models.auxsegnet import Outputs
from auxseg.models.resampling import resample
from auxseg.params.train import LossParams
from auxseg.training.augment import PixelSample, Sample


class Divisors(NamedTuple):
    """The numbers that the sums of a batch's losses are divided by, int64 scalars."""

    images: Tensor
    saliency: Tensor
    """Pixels that have a saliency label."""
    labels: Tensor
    """Pixels whose label is not 255."""

    @classmethod
    def of(cls, *parts: Sample) -> Self:
        """Count a batch that consists of `parts`."""
        images = sum(len(part.image) for part in parts)
        saliency = sum((part.saliency >= 0).sum() for part in parts if isinstance(part, PixelSample))
        labels = sum((part.label != IGNORE).sum() for part in parts if isinstance(part, PixelSample))
        return cls(torch.tensor(images), torch.as_tensor(saliency), torch.as_tensor(labels))


def classification_loss(logits: Tensor, classes: Tensor, images: Tensor) -> Tensor:
    """Return the multi-label soft margin loss of (B, C) logits, averaged over `images` images and the classes."""
    return F.multilabel_soft_margin_loss(logits, classes) * (len(logits) / images)


def saliency_loss(logits: Tensor, target: Tensor, mode: Literal["binary", "soft"], pixels: Tensor) -> Tensor:
    """Return the binary cross-entropy over pixels that have a saliency label, divided by `pixels`.

    Args:
        logits: (B, 1, h, w), upsampled bilinearly to the target's size.
        target: (B, 1, H, W) in [0, 1]; negative values are padding and are left out.
        mode: binary thresholds the target at 0.5, soft uses it unchanged.
        pixels: number of such pixels in the whole batch.
    """
    known = target >= 0
    wanted = (target > 0.5).to(logits) if mode == "binary" else target.clamp(min=0)
    upsampled = resample(logits, target.shape[-2:])
    losses = F.binary_cross_entropy_with_logits(upsampled, wanted, reduction="none")
    return (losses * known).sum() / pixels.clamp(min=1)


def segmentation_loss(logits: Tensor, label: Tensor, pixels: Tensor) -> Tensor:
    """Return the cross-entropy over pixels whose label is not 255, divided by `pixels` (0 if there is none).

    Args:
        logits: (B, C + 1, h, w), upsampled bilinearly to the label's size.
        label: (B, 1, H, W) class indices and 255.
        pixels: number of such pixels in the whole batch.
    """
    target = label[:, 0].long()
    upsampled = resample(logits, target.shape[-2:])
    reduction = "none" if logits.is_cuda else "sum"  # a GPU's "sum" adds in no fixed order
    losses = F.cross_entropy(upsampled, target, ignore_index=IGNORE, reduction=reduction)
    return losses.sum() / pixels.clamp(min=1)


def multi_task_loss(
    outputs: Outputs,
    batch: PixelSample,
    divisors: Divisors,
    weights: LossParams,
    saliency_target: Literal["binary", "soft"],
) -> dict[str, Tensor]:
    """Return the weighted sum as `loss` and its parts, each a scalar; `divisors` are those of the whole batch."""

    def saliency(logits: Tensor) -> tuple[float, Tensor]:
        return weights.saliency, saliency_loss(logits, batch.saliency, saliency_target, divisors.saliency)

    def segmentation(logits: Tensor) -> tuple[float, Tensor]:
        return weights.segmentation, segmentation_loss(logits, batch.label, divisors.labels)

    recognised = classification_loss(outputs.classification, batch.classes, divisors.images)
    parts = {
        "classification": (weights.classification, recognised),
        "saliency": saliency(outputs.saliency),
        "refined_saliency": saliency(outputs.refined_saliency),
        "segmentation": segmentation(outputs.segmentation),
        "refined_segmentation": segmentation(outputs.refined_segmentation),
    }
    if outputs.decoded is not None:
        parts |= {
            "decoded_saliency": saliency(outputs.final_saliency),
            "decoded_segmentation": segmentation(outputs.final_segmentation),
        }
    total = torch.stack([weight * value for weight, value in parts.values()]).sum()
    return {"loss": total, **{name: value for name, (_, value) in parts.items()}}
