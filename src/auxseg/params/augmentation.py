"""Augmentation and optimiser settings that `classify` and `train` both have."""

from typing import Any, Literal

from pydantic import Field, model_validator

from auxseg.params.section import Strict


class AugmentParams(Strict):
    """Random flip, scale, crop and colour jitter of one training image."""

    crop: int = Field(224, ge=32, le=2048)
    """Side of the square crop, pixels; what lies beyond the image is padding."""
    padding: Literal["ignore", "background"] = "ignore"
    """Labels of padding. ignore: 255, and left out of the saliency loss. background: 0 and not salient (the released
    code)."""
    resize_long: tuple[int, int] | None = None
    """Longer side drawn from this range, pixels (PSA); excludes `scale`."""
    scale: tuple[float, float] | None = None
    """Scale factor drawn from this range (P1)."""
    scale_per: Literal["image", "batch"] = "image"
    """Draw the scale or the longer side for every image, or once for a batch (the released code)."""
    flip: bool = True
    """Mirror left to right with probability one half."""
    jitter: tuple[float, float, float, float] = (0.3, 0.3, 0.3, 0.1)
    """Brightness, contrast, saturation and hue jitter, as torchvision's ColorJitter; zeros switch it off."""

    @model_validator(mode="before")
    @classmethod
    def _tuples(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values  # the model refuses it
        # YAML has lists only
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
        return self


class OptimiserParams(Strict):
    """SGD with the polynomial schedule lr (1 - t / T) ^ power."""

    lr: float = Field(0.001, gt=0, le=10)
    """Learning rate of pretrained layers at the first step."""
    new_layers: float = Field(10.0, gt=0)
    """Factor on the learning rate of layers that start random."""
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(5e-4, ge=0)
    power: float = Field(0.9, ge=0)
    """Exponent of the polynomial schedule."""
    warmup: float = Field(0.0, ge=0, lt=1)
    """Share of the steps over which the rate first rises from 0; weights that start random need it at a high rate."""
    clip_norm: float | None = Field(None, gt=0)
    """Largest norm of the gradient, or null."""

    @property
    def pretrained(self) -> tuple[str, ...]:
        """Beginnings of the names of parameters that learn at `lr`; all others learn at `lr` x `new_layers`."""
        return ("backbone.",)


BatchNorm = Literal["frozen", "train"]
