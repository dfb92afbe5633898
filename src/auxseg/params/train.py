"""`train`: one round of the multi-task network (docs/method.md section 3)."""

from typing import ClassVar, Literal

from pydantic import Field

from auxseg.params.augmentation import AugmentParams, BatchNorm, OptimiserParams
from auxseg.params.section import Section, Strict


class LossParams(Strict):
    """Weights l1, l2, l3 of the loss (docs/method.md section 1)."""

    classification: float = Field(1.0, ge=0)
    saliency: float = Field(1.0, ge=0)
    segmentation: float = Field(1.0, ge=0)


class TrainParams(Section):
    """P1's schedule by default."""

    key: ClassVar[str] = "train"

    epochs: int = Field(10, ge=1)
    """Epochs of one round."""
    batch_size: int = Field(4, ge=1)
    dropout: float = Field(0.5, ge=0, lt=1)
    """Channel dropout of the classification branch."""
    batch_norm: BatchNorm = "frozen"
    freeze_stem: bool = True
    """Keep the first convolution as it is."""
    saliency_target: Literal["binary", "soft"] = "soft"
    """soft: saliency labels stay as they are; binary: they are cut at 0.5 after augmentation (the released code)."""
    loss: LossParams = LossParams()
    optimiser: OptimiserParams = OptimiserParams(lr=0.001)
    augment: AugmentParams = AugmentParams(crop=321, scale=(0.7, 1.3))
    seed: int = Field(0, ge=0)
