"""`network`: the heads and affinities of AuxSegNet and AuxSegNet+ (docs/method.md section 1)."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from auxseg.params.section import Constant, Section, Strict


class CrossTaskParams(Strict):
    """Fusion of the two tasks' affinities (docs/method.md section 1.6)."""

    kernel: Constant[Literal[1, 3]] = 1
    """1: exact, and independent of the order of positions. 3: the released code's convolution over the N x N map
    (docs/fidelity.md, quirk 9)."""
    renormalise: bool = True
    """Divide each row of the fused affinity by its sum (the released code does not)."""
    scale: Literal["one", "positions"] = "one"
    """Factor on the affinities before the weights are computed from them: 1, or N (entries are about 1 / N)."""


class NetworkParams(Section):
    """The branches on the backbone, and their affinities."""

    key: ClassVar[str] = "network"
    plus_only: ClassVar[frozenset[str]] = frozenset({"whiten", "tau", "features_with", "refine_with"})
    """Keys that `auxsegnet` ignores."""
    released: ClassVar[dict[str, Any]] = {"released_init": True, "cross_task": {"kernel": 3}}

    variant: Literal["auxsegnet", "auxsegnet_plus"] = "auxsegnet_plus"
    """auxsegnet: pairwise affinity (P1). auxsegnet_plus: pairwise and unary affinity (P2, rebuilt)."""
    channels: int = Field(128, ge=8, le=4096)
    """D, channels of the saliency and segmentation branches."""
    rates: list[Annotated[int, Field(ge=1, le=512)]] = Field([6, 12, 18], min_length=3, max_length=3)
    """Dilation rates of the two branch convolutions and of the one before the prediction, for output stride 8 and crop
    321; they are multiplied by 8 / stride. Use smaller rates on a smaller crop, or most taps fall on padding."""
    affinity: Literal["none", "segmentation", "cross_task_segmentation", "cross_task"] = "cross_task"
    """Which affinity refines what (an ablation, P1's Table 4). none: nothing is refined. segmentation: the
    segmentation's own affinity refines segmentation and CAMs. cross_task_segmentation: the fused affinity refines these
    two. cross_task: it refines the saliency too."""
    whiten: bool = True
    """auxsegnet_plus: subtract the mean over positions from queries and keys."""
    tau: float = Field(1.0, ge=1e-4, le=1e4)
    """auxsegnet_plus: temperature of the pairwise softmax."""
    scale_dim: bool = False
    """Divide the pairwise logits by sqrt(D) (DNL does, P1 does not)."""
    features_with: Literal["pairwise", "unary", "sum"] = "sum"
    """auxsegnet_plus: the affinity that refines features. pairwise: A^p. unary: 1 a^u. sum: A^p + 1 a^u."""
    refine_with: Literal["pairwise", "unary", "sum", "mean"] = "sum"
    """auxsegnet_plus: how predictions P are refined. pairwise: A^p P. unary: P + 1 a^u P. sum: (A^p + 1 a^u) P. mean:
    half of sum."""
    transpose: Constant[bool] = False
    """Refine with the transposed affinity (P1's text; the released code does not: docs/method.md section 1.7)."""
    released_init: Constant[bool] = False
    """Initialise the branches as the released code does: Xavier weights in their last layer too (else PyTorch's
    default), and PyTorch's random biases in the dilated convolutions (else 0, which keeps early predictions even)."""
    cross_task: CrossTaskParams = CrossTaskParams()
    decoder: int | None = Field(None, ge=8, le=4096)
    """Channels of a light decoder that adds what the backbone sees at strides 8 and 4 to the refined predictions, for
    sharper edges. null: none, as in the papers. It needs a convolutional backbone."""

    @property
    def fuses_tasks(self) -> bool:
        """Whether the two tasks' affinities are fused into one."""
        return self.affinity in ("cross_task_segmentation", "cross_task")
