"""`classify`: the single-task classifier that gives the initial CAMs (docs/method.md section 2, r0)."""

from typing import Any, ClassVar

from pydantic import Field

from auxseg.params.augmentation import AugmentParams
from auxseg.params.optimiser import OptimiserParams
from auxseg.params.training import MOST_BATCH, MOST_EPOCHS, AutoSteps, TrainingParams


class ClassifyParams(TrainingParams):
    """Training of the classifier that gives the initial CAMs; by default PSA's recipe."""

    key: ClassVar[str] = "classify"

    # quirk 1 (docs/fidelity.md): PSA's optimiser class hands its weight decay of 5e-4 to SGD as the momentum
    released: ClassVar[dict[str, Any]] = {"optimiser": {"momentum": 5e-4, "weight_decay": 0.0}}

    auto_steps: ClassVar[AutoSteps] = AutoSteps(passes=5, least=240, most=2000)

    epochs: int | None = Field(15, ge=1, le=MOST_EPOCHS)
    batch_size: int = Field(16, ge=1, le=MOST_BATCH)
    """Images per step of the optimiser, over all processes."""
    optimiser: OptimiserParams = OptimiserParams(lr=0.01)
    augment: AugmentParams = AugmentParams(crop=448, resize_long=(256, 512))
