"""`saliency`: where the off-the-shelf saliency prior comes from."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from auxseg.params.section import Section, Strict


class OnnxParams(Strict):
    """onnx only: what the network expects and what it returns. The defaults are those of U2-Net and U2-Net-p."""

    mean: list[Annotated[float, Field(ge=0, le=1)]] = Field([0.485, 0.456, 0.406], min_length=3, max_length=3)
    """Subtracted from red, green and blue, which are divided by the image's largest value before."""
    std: list[Annotated[float, Field(ge=0.001, le=1000)]] = Field([0.229, 0.224, 0.225], min_length=3, max_length=3)
    """The differences are divided by this."""
    output: int = Field(0, ge=0, le=99)
    """Which of the network's outputs is the map, from 0 on."""
    range: Literal["stretch", "logits", "unit"] = "stretch"
    """stretch: each map is stretched to 0..1. logits: its logistic function. unit: it is in 0..1 as it is."""


class SaliencyParams(Section):
    """The off-the-shelf saliency prior S in [0, 1]."""

    key: ClassVar[str] = "saliency"
    path_key: ClassVar[str] = "path"

    provider: Literal["precomputed", "u2netp", "onnx", "boundary"] = "boundary"
    """precomputed: a folder of 8-bit `<id>.png`. u2netp: a small network. onnx: any saliency or background-removal
    network as an ONNX file (docs/configuration.md). boundary: robust background detection (Zhu et al., CVPR 2014),
    without weights."""
    path: str | None = None
    """precomputed: the folder. onnx, u2netp: the .onnx file; for u2netp, null means the published weights, which `make
    env` fetches. A relative path is relative to the data root."""
    channel: Literal["grey", "alpha", "red", "green", "blue", "luminance"] = "grey"
    """precomputed: the channel of the PNGs that is the saliency. grey: they must be 8-bit grey. alpha: as background
    removers write them. luminance: of coloured maps."""
    sha256: str | None = None
    """Hash of what `path` names. `auxseg scan` writes it, so that DVC notices new maps."""
    side: int = Field(320, ge=64, le=2048, multiple_of=32)
    """u2netp, onnx: height and width of the network's input, pixels. U2-Net-p was trained at 320; for small images
    their own size is as good, and faster. IS-Net and BiRefNet have 1024."""
    onnx: OnnxParams = OnnxParams()
    superpixels: int = Field(200, ge=20, le=2000)
    """boundary only: superpixels per image."""

    @model_validator(mode="after")
    def _folder_named(self) -> "SaliencyParams":
        if self.provider == "precomputed" and self.path is None:
            raise ValueError("provider precomputed reads a folder of <id>.png; set saliency.path to it")
        if self.provider == "onnx" and self.path is None:
            raise ValueError("provider onnx reads an .onnx file; set saliency.path to it")
        return self

    def watched(self) -> str | None:
        """Return the path whose content `sha256` is the hash of, or None."""
        return None if self.provider == "boundary" else self.path
