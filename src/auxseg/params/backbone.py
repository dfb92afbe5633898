"""`backbone`: the feature extractor that the classifier and the multi-task network share."""

from typing import ClassVar, Literal, get_args

from pydantic import model_validator

from auxseg.params.section import Section

BackboneName = Literal["efficientnet_lite0", "resnet18", "resnet50", "resnet101", "resnet38"]
BACKBONE_NAMES: tuple[str, ...] = get_args(BackboneName)


class BackboneParams(Section):
    """The feature extractor: image (3, H, W) -> features (K, h, w) (docs/method.md section 1.1)."""

    key: ClassVar[str] = "backbone"
    path_key: ClassVar[str] = "weights"

    name: BackboneName = "efficientnet_lite0"
    """The network; see auxseg.models.backbones. resnet38 is P1's, at output stride 8 only."""
    output_stride: Literal[8, 16, 32] = 16
    """Pixels of the input per position of the features, along each side; dilation replaces the strides left out."""
    weights: str = "imagenet"
    """imagenet (fetched by `make env`, or torchvision's checksummed download; resnet38 has none), random, or the
    path of a .safetensors or .pth file with the backbone's own keys: `auxseg weights import` makes one."""
    sha256: str | None = None
    """SHA-256 of that file. `auxseg scan` writes it, so that DVC notices new weights."""

    def watched(self) -> str | None:
        """Return the path whose content `sha256` is the hash of, or None."""
        return None if self.weights in ("imagenet", "random") else self.weights

    @model_validator(mode="after")
    def _stride_of_resnet38(self) -> "BackboneParams":
        if self.name == "resnet38" and self.output_stride != 8:
            raise ValueError("resnet38 needs output_stride 8")
        return self
