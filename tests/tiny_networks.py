"""Networks small enough for a test: a backbone of one convolution, C = 3 classes, D = 8 channels."""

import math

import torch
from torch import nn

from auxseg.models import resnet38
from auxseg.models.auxsegnet import AuxSegNet
from auxseg.models.backbones import Backbone
from auxseg.models.classifier import Classifier
from auxseg.params.network import CrossTaskParams, NetworkParams

CLASSES = 3
STRIDE = 8


def tiny_backbone(channels: int = 5) -> Backbone:
    """One convolution of kernel and stride 8; the image is divided by 255."""
    body = nn.Conv2d(3, channels, STRIDE, stride=STRIDE)
    return Backbone(body, [[body]], channels, [0.0] * 3, [255.0] * 3, dense_convolutions=True)


def network_params(**values) -> NetworkParams:
    """Parameters with D = 8; `cross_task` may be a dictionary."""
    if "cross_task" in values:
        values["cross_task"] = CrossTaskParams(**values["cross_task"])
    return NetworkParams(channels=8, **values)


def tiny_auxsegnet(seed: int = 0, **values) -> AuxSegNet:
    """AuxSegNet in eval mode on the tiny backbone, with weights so large that no affinity is nearly uniform."""
    torch.manual_seed(seed)
    network = AuxSegNet(tiny_backbone(), CLASSES, STRIDE, network_params(**values)).eval()
    with torch.no_grad():
        network.backbone.body.weight *= 4
        for branch in (network.saliency, network.segmentation):
            for layer in (branch.reduce, branch.context, branch.fuse, branch.predict):
                layer.weight *= 3
            if branch.affinity is None:
                continue
            branch.affinity.query.weight *= 2
            branch.affinity.key.weight *= 2
            if branch.affinity.unary is not None:
                branch.affinity.unary.weight *= 4
    return network


def tiny_classifier(seed: int = 0) -> Classifier:
    """The classifier in eval mode on the tiny backbone."""
    torch.manual_seed(seed)
    return Classifier(tiny_backbone(), CLASSES).eval()


def picture(height: int = 24, width: int = 32, seed: int = 0, batch: int = 1) -> torch.Tensor:
    """Random images, float (B, 3, H, W) in 0..255."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(batch, 3, height, width, generator=generator) * 255


def strided_backbone(stride: int = 16) -> Backbone:
    """Convolutions of stride 2 with padding: like a real backbone, it takes images of any size, even of one pixel."""
    layers = [nn.Conv2d(8 if number else 3, 8, 3, stride=2, padding=1) for number in range(int(math.log2(stride)))]
    body = nn.Sequential(*(module for layer in layers for module in (layer, nn.ReLU())))
    return Backbone(body, [[layer] for layer in layers], 8, [127.0] * 3, [64.0] * 3, dense_convolutions=True)


def narrow_resnet38() -> Backbone:
    """A few of ResNet38's own blocks, of stride 8, with 4 to 32 channels; the whole one has 500 MB."""
    body = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        resnet38.Block(4, resnet38._basic(8, 8, stride=2), project=True),
        resnet38.Block(8, resnet38._basic(8, 8, stride=2), project=True),
        resnet38.Block(8, resnet38._basic(8, 16, stride=2, dilations=(1, 2)), project=True),
        resnet38.Block(16, resnet38._bottleneck(32, dilation=4, dropout=0.3), project=True),
    )
    return Backbone(body, [], 32, [0.0] * 3, [255.0] * 3, dense_convolutions=True)
