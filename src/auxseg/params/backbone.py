"""`backbone`: the feature extractor that the classifier and the multi-task network share."""

from typing import ClassVar, Literal

from auxseg.params.section import Section


class BackboneParams(Section):
    """docs/method.md section 1.1: image (3, H, W) -> features (K, h, w) at the output stride."""

    key: ClassVar[str] = "backbone"

    name: Literal["efficientnet_lite0", "resnet18", "resnet50", "resnet101"] = "efficientnet_lite0"
    """The network; see auxseg.models.backbones."""
    output_stride: Literal[8, 16, 32] = 16
    """Input pixels per feature position and side; dilation replaces the strides left out."""
    weights: str = "imagenet"
    """imagenet (from the installed package, or torchvision's checksummed download), random, or the path of a
    .safetensors or .pth file with the backbone's own keys."""
