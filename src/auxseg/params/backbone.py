"""`backbone`: the feature extractor that the classifier and the multi-task network share."""

from typing import ClassVar, Literal, get_args

from pydantic import Field, model_validator

from auxseg.params.section import Section

BackboneName = Literal["efficientnet_lite0", "resnet18", "resnet50", "resnet101", "resnet38"]
BACKBONE_NAMES: tuple[str, ...] = get_args(BackboneName)
TIMM = "timm:"
"""Prefix of the names of timm's models."""
WORDS = ("imagenet", "pretrained", "random")
"""Values of `backbone.weights` that are no file."""


class BackboneParams(Section):
    """The feature extractor: image (3, H, W) -> features (K, h, w) (docs/method.md section 1.1)."""

    key: ClassVar[str] = "backbone"
    path_key: ClassVar[str] = "weights"

    name: str = "efficientnet_lite0"
    """efficientnet_lite0, resnet18, resnet50, resnet101, or resnet38, which is P1's and has output stride 8 only. Or
    timm:<model>, any convolutional network or vision transformer of timm (docs/configuration.md)."""
    output_stride: Literal[8, 14, 16, 32] = 16
    """Pixels of the input per position of the features, along each side; dilation replaces the strides left out. Of a
    transformer it is the side of its patches."""
    layer: int | None = Field(None, ge=1, le=1000)
    """timm's transformers: the block whose patches are the features, from 1 on. null: the last one."""
    weights: str = "imagenet"
    """imagenet (fetched by `make env`, or torchvision's checksummed download; resnet38 has none); for timm:<model>,
    pretrained (downloaded from its hub and kept in the hub's cache); random; or the path of a .safetensors or .pth
    file with the backbone's own keys: `auxseg weights import` makes one."""
    sha256: str | None = None
    """SHA-256 of that file. `auxseg scan` writes it, so that DVC notices new weights."""

    def watched(self) -> str | None:
        """Return the path whose content `sha256` is the hash of, or None."""
        return None if self.weights in WORDS else self.weights

    @property
    def is_timm(self) -> bool:
        """Whether the network is one of timm's."""
        return self.name.startswith(TIMM)

    @model_validator(mode="after")
    def _known(self) -> "BackboneParams":
        if not self.is_timm and self.name not in BACKBONE_NAMES:
            raise ValueError(f"name is one of {', '.join(BACKBONE_NAMES)}, or timm:<model>; got '{self.name}'")
        if self.is_timm and self.weights == "imagenet":
            raise ValueError("weights of a timm:<model> are pretrained, random or a file, not imagenet")
        if not self.is_timm and self.weights == "pretrained":
            raise ValueError(f"weights of {self.name} are imagenet, random or a file; pretrained is for timm:<model>")
        if not self.is_timm and (self.layer is not None or self.output_stride == 14):
            raise ValueError(f"{self.name} is not a transformer: set layer to null and output_stride to 8, 16 or 32")
        if self.name == "resnet38" and self.output_stride != 8:
            raise ValueError("resnet38 needs output_stride 8")
        return self
