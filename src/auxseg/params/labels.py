"""`labels`: fusion of CAM and saliency into pseudo labels (docs/method.md section 2). CPU only; changes cost no GPU."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from auxseg.params.crf import SALIENCY_CRF, CrfParams, PaperOrCustom
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
    saliency_crf: Annotated[CrfParams, PaperOrCustom(SALIENCY_CRF)] = SALIENCY_CRF
    """CRF of the saliency label. paper: one iteration, a position kernel of 3 pixels, a bilateral one of 60 pixels and
    5 grey levels (the released code's). Or a group of your own, as in {iterations: 3, bilateral_sxy: 40.0}; keys that
    it leaves out are the paper's. {iterations: 0} switches the CRF off."""

    @model_validator(mode="after")
    def _folder_named(self) -> "LabelsParams":
        if self.initial == "precomputed" and self.path is None:
            raise ValueError("initial: precomputed reads a folder; name it in labels.path")
        return self

    def watched(self) -> str | None:
        """Return the path whose content belongs into `sha256`, or None."""
        return self.path if self.initial == "precomputed" else None
