"""Augmentation settings that `classify` and `train` both have."""

from typing import Any, Literal

from pydantic import Field, model_validator

from auxseg.params.section import MOST_PIXELS, MOST_SCALE, Constant, Strict


class AugmentParams(Strict):
    """Random flip, scale, crop and colour jitter of one training image."""

    crop: int = Field(224, ge=32, le=2048)
    """Side of the square crop, pixels; where it extends beyond the image, it is padded."""
    padding: Constant[Literal["ignore", "background"]] = "ignore"
    """How padding is labelled. ignore: 255, and left out of the saliency loss. background: 0 and not salient (the
    released code; docs/fidelity.md, quirk 6)."""
    resize_long: tuple[int, int] | None = None
    """Longer side drawn from this range, pixels (PSA); excludes `scale`."""
    scale: tuple[float, float] | None = None
    """Scale factor drawn from this range (P1)."""
    scale_per: Constant[Literal["image", "batch"]] = "image"
    """Draw the scale or the longer side for every image, or once for a batch (the released code; quirk 5)."""
    flip: Constant[bool] = True
    """Mirror left to right with probability one half (P1, the released code, PSA)."""
    jitter: tuple[float, float, float, float] = (0.3, 0.3, 0.3, 0.1)
    """Brightness, contrast, saturation and hue jitter, as torchvision's ColorJitter; zeros switch it off."""

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values  # the model rejects it
        # YAML has no tuples
        return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}

    @model_validator(mode="after")
    def _one_scale(self) -> "AugmentParams":
        if self.resize_long and self.scale:
            raise ValueError("give resize_long or scale, not both")
        if not all(0 <= value <= most for value, most in zip(self.jitter, (1, 1, 1, 0.5), strict=True)):
            raise ValueError("jitter is four numbers of at least 0: the first three at most 1, the hue at most 0.5")
        for low, high in filter(None, (self.resize_long, self.scale)):
            if not 0 < low <= high:
                raise ValueError("a range is [low, high] with 0 < low <= high")
        if self.resize_long and self.resize_long[1] > MOST_PIXELS:
            raise ValueError(f"resize_long goes up to {MOST_PIXELS} pixels")
        if self.scale and not 0.01 <= self.scale[0] <= self.scale[1] <= MOST_SCALE:
            raise ValueError(f"scale is within 0.01 to {MOST_SCALE}")
        return self
