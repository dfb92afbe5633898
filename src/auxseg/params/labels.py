"""`labels`: fusion of CAM and saliency into pseudo labels (docs/method.md section 2), on the CPU only."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from auxseg.params.crf import SALIENCY_CRF, CrfParams, PaperOrCustom
from auxseg.params.section import MOST_PIXELS, Section


class LabelsParams(Section):
    """Thresholds of the heuristic fusion and the CRF of the saliency label."""

    key: ClassVar[str] = "labels"
    path_key: ClassVar[str] = "path"

    initial: Literal["fusion", "precomputed"] = "fusion"
    """Segmentation labels of r0. precomputed: `<id>.png` files of mask values that another method made; later rounds
    use fusion."""
    path: str | None = None
    """precomputed: the folder. A relative path is relative to the data root."""
    sha256: str | None = None
    """precomputed: hash of the folder's content. `auxseg scan` writes it, so that DVC notices new labels."""
    cam_threshold: float = Field(0.2, ge=0, le=1)
    """A pixel is object if its largest class CAM is above this."""
    saliency_threshold: float = Field(0.06, ge=0, le=1)
    """A pixel is salient if its saliency label is above this."""
    background_threshold: float | None = Field(None, ge=0, le=1)
    """A pixel that is not salient is background unless its largest class CAM is above this; it is ignored then. null:
    `cam_threshold`, as in the papers. A higher value labels more background beside objects, which a low
    `cam_threshold` alone would take away (docs/quality.md)."""
    prior_weight: float = Field(0.5, ge=0, le=1)
    """Weight of the off-the-shelf prior in a later round's saliency label: w S + (1 - w) sigma(P_sal')."""
    saliency_crf: Annotated[CrfParams, PaperOrCustom(SALIENCY_CRF)] = SALIENCY_CRF
    """CRF of the saliency label. paper: the released code's, with one iteration, a position kernel of 3 pixels and a
    bilateral kernel of 60 pixels and 5 grey levels. Or your own values, such as {iterations: 3, bilateral_sxy: 40.0};
    keys that you leave out have the paper's values. {iterations: 0} switches the CRF off."""
    completion: Literal["none", "crf"] = "none"
    """crf: after the fusion, a CRF with the kernels of the final prediction's gives a class to pixels that the fusion
    ignores, and moves outlines to edges of the image (docs/quality.md). In an image with a tag that has no pixel after
    the fusion, ignored pixels stay ignored. none: as in the papers."""
    crf_side: int | None = Field(1024, ge=64, le=MOST_PIXELS)
    """Longest side of the grid on which these CRFs run, pixels, see `evaluate.crf_side`."""

    @model_validator(mode="after")
    def _folder_named(self) -> "LabelsParams":
        if self.initial == "precomputed" and self.path is None:
            raise ValueError("initial: precomputed reads a folder; set labels.path to it")
        return self

    @property
    def thresholds(self) -> tuple[float, float, float | None]:
        """Thresholds of the fusion, in the order of `auxseg.fusion.fuse`."""
        return self.cam_threshold, self.saliency_threshold, self.background_threshold

    def made_by(self, is_initial: bool) -> Literal["precomputed", "fusion", "completion"]:
        """Return what has the last word on the labels of r0 (`is_initial`) or of a later round."""
        if is_initial and self.initial == "precomputed":
            return "precomputed"
        return "fusion" if self.completion == "none" else "completion"

    def watched(self) -> str | None:
        """Return the path whose content `sha256` is the hash of, or None."""
        return self.path if self.initial == "precomputed" else None
