"""Frozen batch norms as part of the convolutions before them: fewer passes over the feature maps, the same function.

A batch norm whose statistics and affine parameters are constant multiplies each channel by s = gamma / sqrt(var + eps)
and adds b = beta - mean s, so BN(W * x) = (s W) * x + b. Only the small kernel W is multiplied in each pass, and no
feature map is stored for the batch norm's backward pass.
"""

import copy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from auxseg.models.backbones import Backbone


def fold_batch_norms(network: nn.Module) -> int:
    """Fold the frozen batch norms of the network's backbones; return how many.

    Parameters, buffers and their names stay as they are: the modules compute differently. A batch norm is folded if it
    reads the output of a convolution, does not update its statistics and has no trainable parameter. Batch norms before
    convolutions (ResNet38's) mostly read a sum, and stay. Call this once, after the network is in its final mode.
    """
    folded = 0
    for backbone in (module for module in network.modules() if isinstance(module, Backbone)):
        for convolution, norm in _pairs(backbone):
            if not norm.training and not any(value.requires_grad for value in norm.parameters()):
                # Of these two objects only: their classes, and what `state_dict` sees, stay. Copies share their
                # tensors and modules. Functions that held the objects themselves would keep their memory until garbage
                # is collected.
                convolution.forward = partial(_convolve, copy.copy(convolution), norm)  # type: ignore[method-assign]
                norm.forward = partial(_activate, copy.copy(norm))  # type: ignore[method-assign]
                folded += 1
    return folded


def _convolve(convolution: nn.Conv2d, norm: _BatchNorm, features: Tensor) -> Tensor:
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        raise TypeError("a batch norm without statistics is never frozen")
    scale = torch.rsqrt(variance + norm.eps)
    if norm.affine:
        scale = scale * norm.weight
    shift = -mean * scale
    if norm.affine:
        shift = shift + norm.bias
    if convolution.bias is not None:
        shift = shift + convolution.bias * scale
    scaled = copy.copy(convolution)
    scaled._parameters = {}  # otherwise `weight` and `bias` would have to be parameters
    scaled.weight, scaled.bias = convolution.weight * scale.view(-1, 1, 1, 1), shift
    output: Tensor = type(convolution).forward(scaled, features)  # timm has a class of its own, which pads
    return output


def _activate(norm: Any, features: Tensor) -> Tensor:
    """Do what is left of a batch norm: nothing, or the activation that timm's batch norms have inside."""
    activated: Tensor = norm.act(norm.drop(features)) if hasattr(norm, "act") else features
    return activated


def _pairs(backbone: Backbone) -> list[tuple[nn.Conv2d, _BatchNorm]]:
    """Return the batch norms that read the output of a convolution, with it, in the order of one forward pass."""
    outputs: dict[int, tuple[nn.Conv2d, Tensor]] = {}  # keeps the tensors, so that no other gets the id of one
    found: list[tuple[nn.Conv2d, _BatchNorm]] = []

    def produced(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            outputs[id(output)] = module, output

    def read(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if isinstance(module, _BatchNorm) and id(inputs[0]) in outputs:
            found.append((outputs[id(inputs[0])][0], module))

    hooks = [module.register_forward_hook(produced) for module in backbone.modules()]
    hooks += [module.register_forward_pre_hook(read) for module in backbone.modules()]
    try:
        backbone.run_example()
    finally:
        for hook in hooks:
            hook.remove()
    return found
