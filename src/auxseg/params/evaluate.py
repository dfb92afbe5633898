"""`evaluate`: each round's model on val, without and with post-processing (docs/method.md sections 2 and 6)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from auxseg.params.crf import CLASS_CRF, CrfParams, PaperOrCustom
from auxseg.params.section import Constant, Section


class EvaluateParams(Section):
    """Multi-scale inference and CRF. Single scale without CRF is always reported too."""

    key: ClassVar[str] = "evaluate"

    scales: list[float] = Field([0.5, 0.75, 1.0, 1.25, 1.5], min_length=1)
    """Scales of the input; must include 1, the single-scale figure."""
    flip: bool = True
    combine: Constant[Literal["mean", "max"]] = "mean"
    """Over scales and flips, of the softmax: P1 (docs/method.md section 2, final). The authors' later code has max."""
    recognition: float = Field(0.0, ge=0, le=8)
    """Exponent that object classes are weighted with by the classification branch's probability that the image shows
    them, after scales are joined. The papers have 0. It pays where few images were there to train on
    (docs/own-data.md)."""
    crf: Annotated[CrfParams, PaperOrCustom(CLASS_CRF)] = CLASS_CRF
    """CRF of the final prediction. paper: ten iterations, a position kernel of 4 pixels, a bilateral one of 83 pixels
    and 5 grey levels (the released code's). Or a group of your own, as for `labels.saliency_crf`."""

    @field_validator("scales")
    @classmethod
    def _single_scale(cls, scales: list[float]) -> list[float]:
        if 1 not in scales or min(scales) <= 0:
            raise ValueError("scales are positive and include 1, the single-scale figure")
        return scales
