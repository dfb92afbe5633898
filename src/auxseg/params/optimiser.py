"""Optimiser settings that `classify` and `train` both have."""

from typing import Literal

from pydantic import Field

from auxseg.params.section import MOST_FACTOR, Constant, Strict


class OptimiserParams(Strict):
    """SGD with the polynomial schedule lr (1 - t / T) ^ power."""

    lr: float = Field(0.001, gt=0, le=10)
    """Learning rate of pretrained layers at the first step."""
    new_layers: float = Field(10.0, gt=0, le=10_000)
    """Factor on the learning rate of randomly initialised layers."""
    momentum: Constant[float] = 0.9
    """The usual value; the papers give none, and the released code's is a mistake (docs/fidelity.md, quirk 1)."""
    weight_decay: Constant[float] = 5e-4
    """PSA's value; the released code passes its own as the momentum by mistake (quirk 1)."""
    power: Constant[float] = 0.9
    """Exponent of the polynomial schedule (P1 and the released code)."""
    warmup: Constant[float] = 0.0
    """Share of the steps over which the rate first rises from 0. The papers and the released code have no warm-up."""
    clip_norm: float | None = Field(None, gt=0, le=MOST_FACTOR)
    """Scale a gradient whose norm is larger down to this norm; null: never."""

    @property
    def pretrained(self) -> tuple[str, ...]:
        """Prefixes of the names of parameters that learn at `lr`; all others learn at `lr` x `new_layers`."""
        return ("backbone.",)


BatchNorm = Literal["frozen", "train"]
