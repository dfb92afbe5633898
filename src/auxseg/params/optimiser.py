"""Optimiser settings that `classify` and `train` both have."""

from typing import Literal

from pydantic import Field

from auxseg.params.section import Strict


class OptimiserParams(Strict):
    """SGD with the polynomial schedule lr (1 - t / T) ^ power."""

    lr: float = Field(0.001, gt=0, le=10)
    """Learning rate of pretrained layers at the first step."""
    new_layers: float = Field(10.0, gt=0)
    """Factor on the learning rate of layers that start random."""
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(5e-4, ge=0)
    power: float = Field(0.9, ge=0)
    """Exponent of the polynomial schedule."""
    warmup: float = Field(0.0, ge=0, lt=1)
    """Share of the steps over which the rate first rises from 0; weights that start random need it at a high rate."""
    clip_norm: float | None = Field(None, gt=0)
    """Largest norm of the gradient, or null."""

    @property
    def pretrained(self) -> tuple[str, ...]:
        """Beginnings of the names of parameters that learn at `lr`; all others learn at `lr` x `new_layers`."""
        return ("backbone.",)


BatchNorm = Literal["frozen", "train"]
