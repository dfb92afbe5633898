"""`labels`: fusion of CAM and saliency into pseudo labels (docs/method.md section 2). CPU only; changes cost no GPU."""

from typing import ClassVar

from pydantic import Field

from auxseg.params.crf import CrfParams
from auxseg.params.section import Section


class LabelsParams(Section):
    """Thresholds of the heuristic fusion and the CRF of the saliency label."""

    key: ClassVar[str] = "labels"

    cam_threshold: float = Field(0.2, ge=0, le=1)
    """object = largest class CAM above this."""
    saliency_threshold: float = Field(0.06, ge=0, le=1)
    """salient = saliency label above this."""
    prior_weight: float = Field(0.5, ge=0, le=1)
    """Weight of the off-the-shelf prior in a later round's saliency label: w S + (1 - w) sigma(P_sal')."""
    saliency_crf: CrfParams = CrfParams(
        iterations=1, gaussian_sxy=3.0, gaussian_compat=3.0, bilateral_sxy=60.0, bilateral_srgb=5.0,
        bilateral_compat=5.0,
    )  # fmt: skip
