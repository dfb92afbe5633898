"""AuxSegNet and AuxSegNet+: one backbone, three branches, a cross-task affinity (docs/method.md section 1)."""

from dataclasses import dataclass
from pathlib import Path
from typing import overload

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from auxseg.models.affinity import Affinity, CrossTaskFusion, TaskAffinity, apply_affinity, pool
from auxseg.models.backbones import Backbone, build_backbone
from auxseg.models.classifier import ClassificationBranch, normalise_cam
from auxseg.models.decoder import Decoder
from auxseg.models.resampling import resample
from auxseg.models.weights import load_network
from auxseg.params.backbone import BackboneParams
from auxseg.params.network import NetworkParams


@dataclass(frozen=True)
class Outputs:
    """The result of one forward pass. Maps are at network resolution (h, w); all predictions are logits."""

    classification: Tensor
    """(B, C) image-level logits."""
    saliency: Tensor
    """P_sal, (B, 1, h, w)."""
    segmentation: Tensor
    """P_seg, (B, C + 1, h, w), channel 0 = background."""
    refined_saliency: Tensor
    """P_sal', or P_sal itself if no affinity refines it (`network.affinity`)."""
    refined_segmentation: Tensor
    """P_seg', or P_seg itself."""
    pairwise: Affinity | None
    """A_CT^p, (B, N, N); A_seg^p or None, depending on `network.affinity`."""
    unary: Tensor | None
    """a_CT^u, (B, 1, N), or a_seg^u; None for the variant auxsegnet."""
    features: Tensor
    """F, (B, K, h, w), in the backbone's precision: the only output that is not always float32."""
    decoded: Tensor | None
    """(B, C + 2, h4, w4) at stride 4: P_sal', then P_seg', both corrected by the decoder; None without one."""

    @property
    def final_saliency(self) -> Tensor:
        """The saliency's best prediction, (B, 1, h, w): the decoder's, or P_sal'."""
        return self.refined_saliency if self.decoded is None else self.decoded[:, :1]

    @property
    def final_segmentation(self) -> Tensor:
        """The segmentation's best prediction, (B, C + 1, h, w): the decoder's, or P_seg'."""
        return self.refined_segmentation if self.decoded is None else self.decoded[:, 1:]


class TaskBranch(nn.Module):
    """Section 1.3 to 1.5: two dilated convolutions, refinement by the task's own affinity, initial prediction."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, params: NetworkParams, *, refined: bool = True
    ):
        super().__init__()
        channels = params.channels
        reduce, context, fuse = params.rates
        zero_bias = not params.released_init
        self.reduce = _dilated(in_channels, channels, reduce, stride, zero_bias)
        self.context = _dilated(channels, channels, context, stride, zero_bias)
        self.affinity = TaskAffinity(params) if refined else None
        self.fuse = _dilated(channels, channels, fuse, stride, zero_bias)
        self.predict = nn.Conv2d(channels, out_channels, 1, bias=False)
        if params.released_init:
            nn.init.xavier_uniform_(self.predict.weight)

    def forward(self, features: Tensor) -> tuple[Tensor, Affinity | None, Tensor | None, Tensor]:
        """Return initial logits (B, out, h, w), the task's pairwise and unary affinity, or None for each, and features.

        The features, (B, D, h, w), are those that the logits are computed from.
        """
        branch = F.relu(self.context(F.relu(self.reduce(features))))
        refined, pairwise, unary = (branch, None, None) if self.affinity is None else self.affinity(branch)
        fused = F.relu(self.fuse(refined))
        return self.predict(fused), pairwise, unary, fused


class AuxSegNet(nn.Module):
    """The multi-task network; `params.variant` chooses between AuxSegNet and AuxSegNet+."""

    def __init__(self, backbone: Backbone, classes: int, stride: int, params: NetworkParams, dropout: float = 0.5):
        super().__init__()
        self.params = params
        self.backbone = backbone
        self.classification = ClassificationBranch(backbone.channels, classes, dropout)
        fused, plus = params.fuses_tasks, params.variant == "auxsegnet_plus"
        self.saliency = TaskBranch(backbone.channels, 1, stride, params, refined=fused)
        self.segmentation = TaskBranch(
            backbone.channels, classes + 1, stride, params, refined=params.affinity != "none"
        )
        self.cross_pairwise = CrossTaskFusion(params.cross_task) if fused else None
        self.cross_unary = CrossTaskFusion(params.cross_task) if fused and plus else None
        self.decoder = None
        if params.decoder is not None:
            self.decoder = Decoder(backbone, stride, 2 * params.channels, classes + 2, params.decoder)

    def forward(self, images: Tensor, *, low_precision: bool = False) -> Outputs:
        """Run the network on images (B, 3, H, W) in 0..255; `low_precision` uses bfloat16 where it is faster."""
        device = images.device.type
        with torch.autocast(device, torch.bfloat16, enabled=low_precision and self.backbone.dense_convolutions):
            features, earlier = self.backbone.with_layers(images, self.decoder.layers if self.decoder else ())
        with torch.autocast(device, torch.bfloat16, enabled=low_precision):
            classification = self.classification(features)
            saliency, saliency_pairwise, saliency_unary, saliency_features = self.saliency(features)
            segmentation, segmentation_pairwise, segmentation_unary, own_features = self.segmentation(features)
        pairwise, unary = _full(segmentation_pairwise), _full(segmentation_unary)
        if self.cross_pairwise is not None:
            pairwise = self.cross_pairwise(pairwise, _full(saliency_pairwise))
        if self.cross_unary is not None:
            unary = self.cross_unary(unary, _full(saliency_unary))
        saliency, segmentation = _full(saliency), _full(segmentation)
        if self.params.affinity == "cross_task":
            # together, because the affinity is the largest tensor of all, and may have to be computed for each use
            refined = self.refine(torch.cat([saliency, segmentation], dim=1), pairwise, unary)
            refined_saliency, refined_segmentation = refined[:, :1], refined[:, 1:]
        else:
            refined_saliency, refined_segmentation = saliency, self.refine(segmentation, pairwise, unary)
        decoded = None
        if self.decoder is not None:
            with torch.autocast(device, torch.bfloat16, enabled=low_precision):
                corrections = self.decoder(torch.cat([saliency_features, own_features], dim=1), earlier)
            both = torch.cat([refined_saliency, refined_segmentation], dim=1)
            decoded = _full(corrections) + resample(both, corrections.shape[-2:])
        return Outputs(
            _full(classification),
            saliency,
            segmentation,
            refined_saliency,
            refined_segmentation,
            pairwise,
            unary,
            features,
            decoded,
        )

    def refine(self, prediction: Tensor, pairwise: Affinity | None, unary: Tensor | None) -> Tensor:
        """Return P' (section 1.7) for logits P (B, C, h, w); P itself if there is no affinity."""
        if unary is not None and self.params.refine_with == "unary":
            return prediction + pool(unary, prediction)
        refined = self._propagated(prediction, pairwise)
        if unary is None or self.params.refine_with == "pairwise":
            return refined
        refined = refined + pool(unary, prediction)
        return refined / 2 if self.params.refine_with == "mean" else refined

    def refined_cam(self, outputs: Outputs) -> Tensor:
        """Return A^p times the network's own CAM (ReLU, divided by its maximum + 1e-5), (B, C, h, w)."""
        cam = normalise_cam(F.relu(self.classification.cam(_full(outputs.features))))
        return self._propagated(cam, outputs.pairwise)

    def _propagated(self, maps: Tensor, pairwise: Affinity | None) -> Tensor:
        return maps if pairwise is None else apply_affinity(pairwise, maps, transpose=self.params.transpose)


def _dilated(in_channels: int, out_channels: int, rate: int, stride: int, zero_bias: bool) -> nn.Conv2d:
    # rates are meant for stride 8; on a coarser grid a rate of 18 would reach only padding
    rate = max(1, rate * 8 // stride)
    convolution = nn.Conv2d(in_channels, out_channels, 3, padding=rate, dilation=rate)
    nn.init.xavier_uniform_(convolution.weight)
    if zero_bias and convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution


@overload
def _full(value: Tensor) -> Tensor: ...
@overload
def _full(value: Tensor | None) -> Tensor | None: ...
@overload
def _full(value: Affinity | None) -> Affinity | None: ...
def _full(value: Affinity | None) -> Affinity | None:
    """Return bfloat16 as float32, and anything else unchanged."""
    return value.float() if isinstance(value, Tensor) and value.dtype == torch.bfloat16 else value


def build_auxsegnet(backbone: BackboneParams, network: NetworkParams, classes: int, dropout: float = 0.5) -> AuxSegNet:
    """Build the network with random weights for `classes` object classes."""
    body = build_backbone(backbone, pretrained=False)
    return AuxSegNet(body, classes, backbone.output_stride, network, dropout)


def check_auxsegnet(backbone: BackboneParams, network: NetworkParams) -> None:
    """Check that there is such a network, without making its weights.

    Raises:
        ParamsError: timm has no such backbone, or not with these parameters, or a decoder finds no features in it.
    """
    with torch.device("meta"):  # tensors without content: even the largest network takes a second or two
        build_auxsegnet(backbone, network, classes=1)


def load_auxsegnet(
    path: Path, backbone: BackboneParams, network: NetworkParams, classes: int, device: torch.device
) -> AuxSegNet:
    """Return the network of a round with its weights, on `device` and in eval mode."""
    return load_network(path, build_auxsegnet(backbone, network, classes), device)
