"""`labels`: fusion of CAM and saliency into pseudo labels (docs/method.md section 2). CPU only; changes cost no GPU."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from auxseg.params.crf import CrfParams
from auxseg.params.section import Section


class LabelsParams(Section):
    """Thresholds of the heuristic fusion and the CRF of the saliency label."""

    key: ClassVar[str] = "labels"
    path_key: ClassVar[str] = "path"

    initial: Literal["fusion", "precomputed"] = "fusion"
    """Segmentation labels of r0. precomputed: `<id>.png` of mask values that another method made; later rounds fuse."""
    path: str | None = None
    """precomputed: the folder. A relative path is taken from the data root."""
    sha256: str | None = None
    """precomputed: of the folder's content; written by `auxseg scan`, so that DVC sees new labels."""
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

    @model_validator(mode="after")
    def _folder_named(self) -> "LabelsParams":
        if self.initial == "precomputed" and self.path is None:
            raise ValueError("initial: precomputed reads a folder; name it in labels.path")
        return self

    def watched(self) -> str | None:
        """Return the path whose content belongs into `sha256`, or None."""
        return self.path if self.initial == "precomputed" else None
