"""`evaluate`: evaluation of each round's model on val, without and with CRF (docs/method.md sections 2 and 6)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from auxseg.params.crf import CLASS_CRF, CrfParams, PaperOrCustom
from auxseg.params.section import MOST_PIXELS, MOST_SCALES, Constant, Scale, Section


class EvaluateParams(Section):
    """Multi-scale inference and CRF. Single scale without CRF is always reported too."""

    key: ClassVar[str] = "evaluate"

    scales: list[Scale] = Field([0.5, 0.75, 1.0, 1.25, 1.5], min_length=1, max_length=MOST_SCALES)
    """Scales of the input; 1 must be among them, for the single-scale figure."""
    flip: bool = True
    combine: Constant[Literal["mean", "max"]] = "mean"
    """How the softmax is combined over scales and flips. mean: P1 (docs/method.md section 2, final). max: the authors'
    later code."""
    recognition: float = Field(0.0, ge=0, le=8)
    """After the scales are combined, each object class is multiplied by the classification branch's probability that
    the image shows it, to this power. The sum of the object classes, and with it the background's probability, stays
    what it was; the single-scale figure is without it. The papers have 0. It helps after training on few images
    (docs/own-data.md)."""
    crf: Annotated[CrfParams, PaperOrCustom(CLASS_CRF)] = CLASS_CRF
    """CRF of the final prediction. paper: the released code's, with ten iterations, a position kernel of 4 pixels and a
    bilateral kernel of 83 pixels and 5 grey levels. Or your own values, as for `labels.saliency_crf`."""
    crf_side: int | None = Field(1024, ge=64, le=MOST_PIXELS)
    """Longest side of the grid on which the CRF runs, pixels: a larger image is reduced to it, and the kernels' widths
    with it, and the result is enlarged again. null: always the image's own size (12 megapixels: 40 s, 4.5 GB)."""

    crf_least: float = Field(0.05, ge=0, le=1)
    """The CRF sees only the classes whose probability reaches this somewhere in the image. 0: all, which takes twice
    as long with 20 classes and changes one pixel in 10,000 (docs/performance.md)."""

    @field_validator("scales")
    @classmethod
    def _single_scale(cls, scales: list[float]) -> list[float]:
        if 1 not in scales:
            raise ValueError("scales must include 1, for the single-scale figure")
        return scales
