"""`train`: one round of the multi-task network (docs/method.md section 3)."""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from auxseg.params.augmentation import AugmentParams
from auxseg.params.optimiser import OptimiserParams
from auxseg.params.section import MOST_FACTOR, Constant, Strict
from auxseg.params.training import MOST_EPOCHS, AutoSteps, TrainingParams


class LossParams(Strict):
    """Weights l1, l2, l3 of the loss (docs/method.md section 1)."""

    classification: float = Field(1.0, ge=0, le=MOST_FACTOR)
    saliency: float = Field(1.0, ge=0, le=MOST_FACTOR)
    segmentation: float = Field(1.0, ge=0, le=MOST_FACTOR)


class TrainOptimiserParams(OptimiserParams):
    """SGD with the polynomial schedule lr (1 - t / T) ^ power."""

    cross_task: Constant[Literal["new_layers", "pretrained"]] = "new_layers"
    """Learning rate of the randomly initialised cross-task fusion: that of new layers, or that of pretrained ones (the
    released code; docs/fidelity.md, quirk 11)."""

    @property
    def pretrained(self) -> tuple[str, ...]:
        """See `OptimiserParams.pretrained`."""
        return (*super().pretrained, *(["cross_"] if self.cross_task == "pretrained" else []))


class TrainParams(TrainingParams):
    """Training of one round of the multi-task network; by default P1's schedule."""

    key: ClassVar[str] = "train"
    released: ClassVar[dict[str, Any]] = {
        "saliency_target": "binary",
        "optimiser": {"momentum": 1e-5, "weight_decay": 0.0, "cross_task": "pretrained"},
        "augment": {"padding": "background", "scale_per": "batch"},
    }

    auto_steps: ClassVar[AutoSteps] = AutoSteps(passes=4, least=480, most=2000)

    epochs: int | None = Field(10, ge=1, le=MOST_EPOCHS)
    """Passes over the training images in one round; null if `steps` says how long to train."""
    frozen_layers: int = Field(1, ge=0, le=99)
    """Number of leading layers of the backbone to freeze, with their batch norms. 1: the first convolution (P1). 2: the
    first group of blocks too, and so on. EfficientNet-Lite0 has 8, a ResNet 5; as many as there are, or more, such as
    99, freeze the whole backbone, with its last convolution or norm."""
    augment: AugmentParams = AugmentParams(crop=321, scale=(0.7, 1.3))
    optimiser: TrainOptimiserParams = TrainOptimiserParams(lr=0.001)
    saliency_target: Constant[Literal["binary", "soft"]] = "soft"
    """soft: saliency labels are used unchanged. binary: they are thresholded at 0.5 after augmentation (the released
    code; docs/fidelity.md, quirk 7)."""
    loss: LossParams = LossParams()
    later_rate: float = Field(1.0, gt=0, le=100)
    """Factor on the learning rate in every round after the first. The branches are trained by then, and at the full
    rate of new layers a short round unlearns more than its better labels teach."""

    def of_round(self, *, starts_trained: bool) -> Self:
        """Return the parameters of a round, with its learning rate; `starts_trained` in every round after the first."""
        factor = self.later_rate if starts_trained else 1.0
        optimiser = self.optimiser.model_copy(update={"lr": self.optimiser.lr * factor})
        return self.model_copy(update={"optimiser": optimiser})
