"""Parameters that `classify` and `train` share: length, batches, and how they are split over processes."""

from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from auxseg.params.augmentation import AugmentParams
from auxseg.params.optimiser import BatchNorm, OptimiserParams
from auxseg.params.section import Section, Seed

MOST_STEPS = 10_000_000
MOST_EPOCHS = 1_000_000
MOST_BATCH = 65_536

Balance = Literal["none", "sqrt", "inverse"]


class AutoSteps(NamedTuple):
    """The rule of `steps: auto`: `passes` over the images, but at least `least` and at most `most` steps."""

    passes: int
    least: int
    most: int


class TrainingParams(Section):
    """Training with SGD."""

    auto_steps: ClassVar[AutoSteps]
    """Chosen by experiments on subsets of 60 and 200 images (docs/own-data.md)."""

    epochs: int | None = Field(10, ge=1, le=MOST_EPOCHS)
    """Passes over the training images; null if `steps` says how long to train."""
    steps: int | Literal["auto"] | None = None
    """Steps of the optimiser, instead of `epochs`: a number, or auto, which derives it from the number of images
    (docs/own-data.md)."""
    batch_size: int = Field(4, ge=1, le=MOST_BATCH)
    """Images per step of the optimiser, over all processes."""
    accumulate: int = Field(1, ge=1, le=MOST_BATCH)
    """Number of parts that each process splits its images of a step into and computes one after the other: less memory,
    and with frozen batch norms the same gradient."""
    balance: Balance = "none"
    """Whether images of rare classes are drawn more often (docs/training.md). inverse: in proportion to 1 / n, where n
    is the number of images of an image's rarest class. sqrt: to 1 / sqrt(n). none: each image once per pass."""
    devices: int = Field(1, ge=1, le=64)
    """GPUs per machine, with one process each (on a CPU: processes)."""
    nodes: int = Field(1, ge=1, le=1024)
    """Machines with `devices` each; more than 1 needs a Slurm job of as many nodes."""
    dropout: float = Field(0.5, ge=0, lt=1)
    """Channel dropout of the classification branch, before global average pooling."""
    batch_norm: BatchNorm = "frozen"
    """frozen: running statistics and affine parameters stay as they are. train: both are learned, which random weights
    need."""
    frozen_layers: int = Field(0, ge=0, le=99)
    """Number of leading layers of the backbone to freeze, with their batch norms. 1: the first convolution (P1). 2: the
    first group of blocks too (PSA's ResNet38), and so on."""
    optimiser: OptimiserParams = OptimiserParams()
    augment: AugmentParams = AugmentParams()
    seed: Seed = 0

    @property
    def processes(self) -> int:
        """Number of processes that train together."""
        return self.devices * self.nodes

    @field_validator("steps", mode="before")
    @classmethod
    def _steps(cls, value: Any) -> Any:
        # pydantic's own message would list an error for each member of the union
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value not in (None, "auto") and not (whole and 1 <= value <= MOST_STEPS):
            raise ValueError(f"steps is a whole number from 1 to {MOST_STEPS}, auto, or null if epochs is given")
        return value

    @model_validator(mode="after")
    def _one_length(self) -> "TrainingParams":
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give epochs or steps and set the other to null")
        return self

    @model_validator(mode="after")
    def _equal_parts(self) -> "TrainingParams":
        parts = self.processes * self.accumulate
        if self.batch_size % parts:
            raise ValueError(f"batch_size must be a multiple of nodes x devices x accumulate, which is {parts}")
        return self
