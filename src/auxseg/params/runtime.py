"""`runtime`: parameters that all stages with a network share."""

from typing import ClassVar, Literal, get_args

from pydantic import Field, model_validator

from auxseg.params.section import MOST_PIXELS, Section

Precision = Literal["float32", "tf32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


class RuntimeParams(Section):
    """Threads, precision and image sizes, for all stages that run a network."""

    key: ClassVar[str] = "runtime"

    threads: int = Field(2, ge=1, le=256)
    """CPU threads of torch and OpenCV. Sums depend on it, so it is a parameter and not read from the environment."""
    precision: Literal["auto", "float32", "tf32", "bfloat16"] = "auto"
    """Arithmetic of networks. bfloat16 is autocast (faster on GPUs and on CPUs with AMX); tf32 is float32 with shorter
    products on GPUs, and float32 elsewhere. auto: `classify` measures which is fastest, and the whole run uses that."""
    deterministic: bool = True
    """On a GPU, use only kernels that add in a fixed order, where there is one, so that a second run writes the same
    bytes on the same kind of GPU. Transformers are then trained without fused attention, which takes more memory.
    false: a training measures cuDNN's kernels and uses the fastest, and only the figures are the same, up to rounding.
    CPUs are deterministic in any case."""
    max_side: int = Field(1024, ge=64, le=MOST_PIXELS)
    """An image whose longer side is larger, in pixels, is reduced to this before a network sees it: affinities grow
    with the fourth power of the side, and objects should be about as large as in training. Labels and predictions keep
    the image's size."""
    min_side: int | None = Field(None, ge=64, le=MOST_PIXELS)
    """An image whose longer side is smaller, in pixels, is enlarged to this before a network sees it; null: never."""

    @model_validator(mode="after")
    def _sides_in_order(self) -> "RuntimeParams":
        if self.min_side is not None and self.min_side > self.max_side:
            raise ValueError("min_side must not be larger than max_side")
        return self

    def factor(self, longer_side: int) -> float:
        """Return the scale at which networks see an image with this longer side, pixels."""
        if longer_side > self.max_side:
            return self.max_side / longer_side
        return max(1.0, (self.min_side or 0) / longer_side)

    @property
    def low_precision(self) -> bool:
        """Whether networks run under bfloat16 autocast where that is faster."""
        return self.precision == "bfloat16"
