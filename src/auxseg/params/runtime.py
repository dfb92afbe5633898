"""`runtime`: what every stage that runs a network shares."""

from typing import ClassVar, Literal

from pydantic import Field

from auxseg.params.section import Section


class RuntimeParams(Section):
    """Threads and precision of every stage that runs a network."""

    key: ClassVar[str] = "runtime"

    threads: int = Field(2, ge=1, le=256)
    """CPU threads of torch and OpenCV. A thread count changes sums, so it is a parameter and never the environment."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Arithmetic of convolutions; bfloat16 is autocast (faster on GPUs and on CPUs with AMX)."""
    max_side: int = Field(1024, ge=64)
    """Larger photographs are reduced to this longest side, pixels, before a network sees them: affinities grow with the
    fourth power of the side. Labels and predictions keep the photograph's size."""

    @property
    def low_precision(self) -> bool:
        """Whether networks run under bfloat16 autocast where it pays."""
        return self.precision == "bfloat16"
