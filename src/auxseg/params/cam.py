"""`cam`: multi-scale class activation maps of the classifier (docs/method.md section 2, r0)."""

from typing import Annotated, ClassVar

from pydantic import Field

from auxseg.params.section import Section


class CamParams(Section):
    """PSA's multi-scale inference."""

    key: ClassVar[str] = "cam"

    scales: list[Annotated[float, Field(gt=0)]] = Field([0.5, 1.0, 1.5, 2.0], min_length=1)
    """Scales of the input; the maps are summed on the grid of scale 1."""
    flip: bool = True
    """Add the mirrored image's map."""
