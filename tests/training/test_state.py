"""What a checkpoint gives back."""

import numpy as np
import torch
from torch import nn

from auxseg.params.optimiser import OptimiserParams
from auxseg.training.optimiser import build_optimiser, polynomial
from auxseg.training.state import TrainingState


def started() -> TrainingState:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 1)).to(memory_format=torch.channels_last)
    optimiser = build_optimiser(network, OptimiserParams())
    return TrainingState(network, optimiser, polynomial(optimiser, 10, 0.9))


def test_momenta_have_the_strides_of_their_parameters():
    """The fused SGD of GPUs takes no others, and a file of arrays keeps none."""
    state, resumed = started(), started()
    state.network(torch.rand(2, 3, 8, 8)).sum().backward()
    state.optimiser.step()
    tensors, values = state.export()
    resumed.restore({name: np.ascontiguousarray(value) for name, value in tensors.items()}, values)
    for before, after in zip(state.network.parameters(), resumed.network.parameters(), strict=True):
        wanted = state.optimiser.state[before]["momentum_buffer"]
        found = resumed.optimiser.state[after]["momentum_buffer"]
        assert torch.equal(found, wanted) and found.stride() == after.stride()
    assert not resumed.network[0].weight.is_contiguous()
