"""`propagate`: one pass of a round's network over all images (docs/method.md section 2, round r)."""

from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from auxseg.params.section import Section


class PropagateParams(Section):
    """What is stored for the labels."""

    key: ClassVar[str] = "propagate"

    scales: list[Annotated[float, Field(gt=0)]] = Field([1.0], min_length=1)
    """Scales of the input, 1 among them; refined CAM and saliency are the means of all. The papers have one; more
    cost as many passes."""
    flip: bool = False
    """Add the mirrored image's maps."""
    initial_share: float = Field(0.0, ge=0, lt=1)
    """Weight of the CAM of r0 in the stored one, w CAM_0 + (1 - w) CAM', as the prior has one in the saliency label.
    The papers have 0. On small data sets refined CAMs alone may be worse than those of r0 (docs/own-data.md)."""
    renormalise_cam: bool = True
    """Divide the refined CAM by its maximum again. The released code does not: averaging lowers the peaks, and at a
    fixed threshold the labels then lose recall from round to round."""

    @field_validator("scales")
    @classmethod
    def _scale_of_the_prediction(cls, scales: list[float]) -> list[float]:
        if 1 not in scales:
            raise ValueError("scales include 1, whose grid the maps are stored on")
        return scales
