"""`classify`: the single-task classifier that gives the initial CAMs (docs/method.md section 2, r0)."""

from typing import ClassVar

from pydantic import Field

from auxseg.params.augmentation import AugmentParams, BatchNorm, OptimiserParams
from auxseg.params.section import Section


class ClassifyParams(Section):
    """PSA's recipe by default."""

    key: ClassVar[str] = "classify"

    epochs: int = Field(15, ge=1)
    batch_size: int = Field(16, ge=1)
    dropout: float = Field(0.5, ge=0, lt=1)
    """Channel dropout before global average pooling."""
    batch_norm: BatchNorm = "frozen"
    """frozen: running statistics and affine parameters stay; train: both are learned (random weights need it)."""
    frozen_layers: int = Field(0, ge=0, le=4)
    """Leading layers of the backbone that stay as they are, batch norms too: 1 the first convolution, 2 the first group
    of blocks too (PSA's ResNet38), and so on."""
    optimiser: OptimiserParams = OptimiserParams(lr=0.01)
    augment: AugmentParams = AugmentParams(crop=448, resize_long=(256, 512))
    seed: int = Field(0, ge=0)
