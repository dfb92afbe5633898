"""`network`: the heads and affinities of AuxSegNet and AuxSegNet+ (docs/method.md section 1)."""

from typing import ClassVar, Literal

from pydantic import Field

from auxseg.params.section import Section, Strict


class CrossTaskParams(Strict):
    """Fusion of the two tasks' affinities (docs/method.md section 1.6)."""

    kernel: Literal[1, 3] = 3
    """3: the released code's convolution over the N x N map. 1: exact, equivariant to the order of positions."""
    renormalise: bool = False
    """Divide the rows of the fused affinity by their sums."""
    scale: Literal["one", "positions"] = "one"
    """Factor on the maps that the weights are computed from: 1, or N (entries are about 1 / N)."""


class NetworkParams(Section):
    """What is built on the backbone."""

    key: ClassVar[str] = "network"

    variant: Literal["auxsegnet", "auxsegnet_plus"] = "auxsegnet_plus"
    """auxsegnet: pairwise affinity (P1). auxsegnet_plus: pairwise and unary affinity (P2, rebuilt)."""
    channels: int = Field(128, ge=8)
    """D, channels of the saliency and segmentation branches."""
    whiten: bool = True
    """auxsegnet_plus: subtract the mean over positions from queries and keys."""
    tau: float = Field(1.0, gt=0)
    """auxsegnet_plus: temperature of the pairwise softmax."""
    scale_dim: bool = False
    """Divide the pairwise logits by sqrt(D) (DNL does, P1 does not)."""
    refine_with: Literal["pairwise", "sum", "mean"] = "sum"
    """auxsegnet_plus: map that refines predictions: A^p alone, A^p + 1 a^u, or half of that."""
    transpose: bool = False
    """Refine with the transposed affinity (P1's text; the released code does not)."""
    cross_task: CrossTaskParams = CrossTaskParams()
