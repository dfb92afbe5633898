"""`backbone`: the feature extractor that the classifier and the multi-task network share."""

from typing import ClassVar, Literal, get_args

from pydantic import model_validator

from auxseg.params.section import Section

BackboneName = Literal["efficientnet_lite0", "resnet18", "resnet50", "resnet101", "resnet38"]
BACKBONE_NAMES: tuple[str, ...] = get_args(BackboneName)


class BackboneParams(Section):
    """docs/method.md section 1.1: image (3, H, W) -> features (K, h, w) at the output stride."""

    key: ClassVar[str] = "backbone"
    path_key: ClassVar[str] = "weights"

    name: BackboneName = "efficientnet_lite0"
    """The network; see auxseg.models.backbones. resnet38 is P1's, at output stride 8 only."""
    output_stride: Literal[8, 16, 32] = 16
    """Input pixels per feature position and side; dilation replaces the strides left out."""
    weights: str = "imagenet"
    """imagenet (fetched by `make env`, or torchvision's checksummed download; resnet38 has none), random, or the
    path of a .safetensors or .pth file with the backbone's own keys: `auxseg weights import` makes one."""
    sha256: str | None = None
    """Of that file; written by `auxseg scan`, so that DVC sees new weights."""

    def watched(self) -> str | None:
        """Return the path whose content belongs into `sha256`, or None."""
        return None if self.weights in ("imagenet", "random") else self.weights

    @model_validator(mode="after")
    def _stride_of_resnet38(self) -> "BackboneParams":
        if self.name == "resnet38" and self.output_stride != 8:
            raise ValueError("resnet38 needs output_stride 8")
        return self
