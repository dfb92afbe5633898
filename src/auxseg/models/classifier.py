"""The classification branch and the single-task classifier built from it (docs/method.md sections 1.2 and 2)."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auxseg.models.backbones import Backbone, build_backbone
from auxseg.models.weights import load_network
from auxseg.params.backbone import BackboneParams


class ClassificationBranch(nn.Module):
    """Dropout2d, global average pooling and one linear layer U, (C, K), without bias.

    The class activation map is the same U applied as a 1x1 convolution, without dropout: CAM_c = sum_k U[c,k] F[k].
    """

    def __init__(self, channels: int, classes: int, dropout: float):
        super().__init__()
        self.dropout = nn.Dropout2d(dropout)
        self.linear = nn.Linear(channels, classes, bias=False)
        nn.init.xavier_uniform_(self.linear.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Return image-level logits, (B, C), of features (B, K, h, w)."""
        logits: Tensor = self.linear(self.dropout(features).mean(dim=(2, 3)))
        return logits

    def cam(self, features: Tensor) -> Tensor:
        """Return raw class activation maps, (B, C, h, w), of features (B, K, h, w); negative values are kept."""
        return F.conv2d(features, self.linear.weight[:, :, None, None])


class Classifier(nn.Module):
    """The single-task network whose CAMs are those of round 0."""

    def __init__(self, backbone: Backbone, classes: int, dropout: float = 0.5):
        super().__init__()
        self.backbone = backbone
        self.classification = ClassificationBranch(backbone.channels, classes, dropout)

    def forward(self, images: Tensor) -> Tensor:
        """Return image-level logits, (B, C), of images (B, 3, H, W) in 0..255."""
        logits: Tensor = self.classification(self.backbone(images))
        return logits

    def cam(self, images: Tensor) -> Tensor:
        """Return raw class activation maps, (B, C, h, w)."""
        return self.classification.cam(self.backbone(images))


def load_classifier(path: Path, backbone: BackboneParams, classes: int, device: torch.device) -> Classifier:
    """Return the classifier with its weights, on `device` and in eval mode."""
    return load_network(path, Classifier(build_backbone(backbone, pretrained=False), classes), device)


def normalise_cam(cam: Tensor) -> Tensor:
    """Divide each class map (…, h, w) by its maximum over positions + 1e-5."""
    return cam / (cam.amax(dim=(-2, -1), keepdim=True) + 1e-5)
