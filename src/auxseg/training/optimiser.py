"""SGD with two learning rates and the polynomial schedule (docs/method.md section 3)."""

import torch
from torch import nn

from auxseg.params.augmentation import BatchNorm, OptimiserParams


def build_optimiser(network: nn.Module, params: OptimiserParams) -> torch.optim.SGD:
    """Return SGD over the trainable parameters: the backbone's at `lr`, all others at `lr * new_layers`."""
    backbone, heads = [], []
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            (backbone if name.startswith("backbone.") else heads).append(parameter)
    groups = [{"params": backbone, "lr": params.lr}, {"params": heads, "lr": params.lr * params.new_layers}]
    return torch.optim.SGD(groups, momentum=params.momentum, weight_decay=params.weight_decay)


def polynomial(optimiser: torch.optim.Optimizer, steps: int, power: float) -> torch.optim.lr_scheduler.LRScheduler:
    """Return the schedule lr_t = lr_0 (1 - t / steps) ^ power, t = 0 .. steps - 1."""
    return torch.optim.lr_scheduler.PolynomialLR(optimiser, total_iters=steps, power=power)


def set_batch_norm(network: nn.Module, mode: BatchNorm) -> None:
    """Freeze (statistics and affine parameters) or free every batch norm; call after `network.train()`."""
    if mode == "frozen":
        for module in network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
                for parameter in module.parameters():
                    parameter.requires_grad_(False)
