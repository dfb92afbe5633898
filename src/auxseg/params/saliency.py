"""`saliency`: where the off-the-shelf saliency prior comes from."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from auxseg.params.section import Section


class SaliencyParams(Section):
    """The off-the-shelf saliency prior S in [0, 1]."""

    key: ClassVar[str] = "saliency"
    path_key: ClassVar[str] = "path"

    provider: Literal["precomputed", "u2netp", "boundary"] = "boundary"
    """precomputed: a folder of 8-bit `<id>.png`. u2netp: a small network (ONNX). boundary: robust background
    detection (Zhu et al., CVPR 2014), without weights."""
    path: str | None = None
    """precomputed: the folder. u2netp: the .onnx file (null: the published weights, which `make env` fetches).
    A relative path is relative to the data root."""
    channel: Literal["grey", "alpha", "red", "green", "blue", "luminance"] = "grey"
    """precomputed: the channel of the PNGs that is the saliency. grey: they must be 8-bit grey. alpha: as background
    removers write them. luminance: of coloured maps."""
    sha256: str | None = None
    """Hash of what `path` names. `auxseg scan` writes it, so that DVC notices new maps."""
    side: int = Field(320, ge=64, le=1024, multiple_of=32)
    """u2netp only: height and width of the network's input, pixels. It was trained at 320; for small images their own
    size is as good, and faster."""
    superpixels: int = Field(200, ge=20, le=2000)
    """boundary only: superpixels per image."""

    @model_validator(mode="after")
    def _folder_named(self) -> "SaliencyParams":
        if self.provider == "precomputed" and self.path is None:
            raise ValueError("provider precomputed reads a folder of <id>.png; set saliency.path to it")
        return self

    def watched(self) -> str | None:
        """Return the path whose content `sha256` is the hash of, or None."""
        return None if self.provider == "boundary" else self.path
