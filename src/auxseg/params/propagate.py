"""`propagate`: one pass of a round's network over all images (docs/method.md section 2, round r)."""

from typing import ClassVar

from pydantic import Field, field_validator

from auxseg.params.section import MOST_SCALES, Scale, Section


class PropagateParams(Section):
    """How the refined CAM and saliency, which the labels are made from, are computed."""

    key: ClassVar[str] = "propagate"

    scales: list[Scale] = Field([1.0], min_length=1, max_length=MOST_SCALES)
    """Scales of the input, 1 among them; refined CAM and saliency are averaged over them. The papers use only 1. Each
    scale costs one pass."""
    flip: bool = False
    """Average over the mirrored image too."""
    initial_share: float = Field(0.0, ge=0, lt=1)
    """Weight w of the CAM of r0 in the stored CAM, w CAM_0 + (1 - w) CAM'. The papers have 0. On small data sets,
    refined CAMs alone can be worse than those of r0 (docs/own-data.md)."""
    prediction_share: float = Field(0.0, ge=0, le=1)
    """Weight w of the segmentation's own probabilities P, over the background and the classes of the image's tags, in
    the stored maps: w P_c + (1 - w) CAM_c, and w (1 - P_background) + (1 - w) saliency. The papers have 0."""
    renormalise_cam: bool = True
    """Divide the refined CAM by its maximum again. Without this, as in the released code, averaging lowers the peaks,
    and at a fixed threshold the labels lose recall from round to round."""

    @field_validator("scales")
    @classmethod
    def _scale_of_the_prediction(cls, scales: list[float]) -> list[float]:
        if 1 not in scales:
            raise ValueError("scales must include 1, because the maps are stored on its grid")
        return scales
