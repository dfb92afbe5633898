"""SGD with two learning rates and the polynomial schedule (docs/method.md section 3)."""

import torch
from torch import nn

from auxseg.params.optimiser import BatchNorm, OptimiserParams


def build_optimiser(network: nn.Module, params: OptimiserParams) -> torch.optim.SGD:
    """Return SGD over the trainable parameters: `params.pretrained` at `lr`, all others at `lr * new_layers`."""
    pretrained: list[nn.Parameter] = []
    new: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            (pretrained if name.startswith(params.pretrained) else new).append(parameter)
    groups = [{"params": pretrained, "lr": params.lr}, {"params": new, "lr": params.lr * params.new_layers}]
    fused = all(parameter.is_cuda for parameter in network.parameters())  # one kernel for all tensors
    return torch.optim.SGD(groups, momentum=params.momentum, weight_decay=params.weight_decay, fused=fused or None)


def polynomial(
    optimiser: torch.optim.Optimizer, steps: int, power: float, warmup: float = 0.0
) -> torch.optim.lr_scheduler.LRScheduler:
    """Return the schedule lr_t = lr_0 (1 - t / steps) ^ power, t = 0 .. steps - 1.

    During the first W = round(warmup * steps) steps it is also multiplied by (t + 1) / (W + 1).
    """
    rising = round(warmup * steps)

    def factor(step: int) -> float:
        share: float = max(0.0, 1 - step / steps) ** power
        return min(1.0, (step + 1) / (rising + 1)) * share

    return torch.optim.lr_scheduler.LambdaLR(optimiser, factor)


def set_batch_norm(network: nn.Module, mode: BatchNorm) -> None:
    """Freeze every batch norm (statistics and affine parameters) or let it train; call after `network.train()`.

    A batch norm whose affine parameters are already frozen keeps its statistics in both modes.
    """
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            if mode == "frozen":
                module.requires_grad_(False)
            if not module.weight.requires_grad:
                module.eval()
