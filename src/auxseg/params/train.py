"""`train`: one round of the multi-task network (docs/method.md section 3)."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from auxseg.params.augmentation import AugmentParams, BatchNorm, OptimiserParams
from auxseg.params.section import Section, Strict


class LossParams(Strict):
    """Weights l1, l2, l3 of the loss (docs/method.md section 1)."""

    classification: float = Field(1.0, ge=0)
    saliency: float = Field(1.0, ge=0)
    segmentation: float = Field(1.0, ge=0)


class TrainOptimiserParams(OptimiserParams):
    """SGD with the polynomial schedule lr (1 - t / T) ^ power."""

    cross_task: Literal["new_layers", "pretrained"] = "new_layers"
    """Learning rate of the cross-task fusion, which starts random: that of new layers, or that of pretrained ones (the
    released code)."""

    @property
    def pretrained(self) -> tuple[str, ...]:
        """As for OptimiserParams."""
        return (*super().pretrained, *(["cross_"] if self.cross_task == "pretrained" else []))


class TrainParams(Section):
    """P1's schedule by default."""

    key: ClassVar[str] = "train"

    epochs: int = Field(10, ge=1)
    """Epochs of one round."""
    batch_size: int = Field(4, ge=1)
    """Images of one step of the optimiser, over all processes."""
    accumulate: int = Field(1, ge=1)
    """Parts into which a process cuts its images of a step, one after the other: less memory, the same gradient."""
    devices: int = Field(1, ge=1)
    """GPUs of one machine, each with a process of its own (on a CPU: processes)."""
    nodes: int = Field(1, ge=1)
    """Machines with `devices` each; more than 1 needs a Slurm job of as many nodes."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Channel dropout of the classification branch."""
    batch_norm: BatchNorm = "frozen"
    frozen_layers: int = Field(1, ge=0, le=4)
    """Leading layers of the backbone that stay as they are: 1 the first convolution (P1), 2 the first group of blocks
    too, and so on."""
    saliency_target: Literal["binary", "soft"] = "soft"
    """soft: saliency labels stay as they are; binary: they are cut at 0.5 after augmentation (the released code)."""
    loss: LossParams = LossParams()
    optimiser: TrainOptimiserParams = TrainOptimiserParams(lr=0.001)
    later_rate: float = Field(1.0, gt=0)
    """Factor on the learning rate in every round after the first: their branches start trained, and at the full rate of
    new layers a short round unlearns more than its better labels teach."""
    augment: AugmentParams = AugmentParams(crop=321, scale=(0.7, 1.3))
    seed: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _equal_parts(self) -> "TrainParams":
        parts = self.nodes * self.devices * self.accumulate
        if self.batch_size % parts:
            raise ValueError(f"batch_size must be a multiple of nodes x devices x accumulate, which is {parts}")
        return self

    def round_optimiser(self, *, starts_trained: bool) -> OptimiserParams:
        """Return the optimiser of a round; `starts_trained` in every round after the first."""
        factor = self.later_rate if starts_trained else 1.0
        return self.optimiser.model_copy(update={"lr": self.optimiser.lr * factor})
