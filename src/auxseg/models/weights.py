"""Write weights to safetensors files, and load them."""

from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from auxseg.artifacts.damage import read_whole
from auxseg.artifacts.tensors import TensorFile, write_tensors
from auxseg.errors import DataError
from auxseg.models.checks import check_kinds, check_tensors
from auxseg.models.folding import fold_batch_norms

Network = TypeVar("Network", bound=nn.Module)


def save_weights(path: Path, network: nn.Module, metadata: Any) -> None:
    """Write a network's state without conversion (float32), atomically and deterministically."""
    state = {name: value.detach().cpu().contiguous().numpy() for name, value in network.state_dict().items()}
    write_tensors(path, state, metadata)


def load_network(path: Path, network: Network, device: torch.device) -> Network:
    """Return a network that predicts: with all weights of a file, on `device`, in eval mode, batch norms folded.

    Raises:
        DataError: as `load_weights`.
    """
    load_weights(path, network)
    network.to(device).to(memory_format=torch.channels_last).eval()
    fold_batch_norms(network)
    return network


def load_weights(path: Path, network: nn.Module, *, partial: bool = False) -> list[str]:
    """Load a file's tensors into a network; return the network's tensors that the file does not have.

    `partial` allows such tensors (round 1 starts from the classifier, which has no segmentation branch); the file
    must fit the network in any case.

    Raises:
        DataError: a tensor is unknown, missing, or has the wrong shape, other elements, or NaN.
    """
    file = TensorFile(path)
    with read_whole(path):  # numpy has types that torch does not take
        state = {name: torch.from_numpy(file[name].copy()) for name in file}
    wanted = network.state_dict()
    check_tensors(path, state)
    check_kinds(path, state, wanted)
    for name, value in state.items():
        expected = tuple(wanted[name].shape) if name in wanted else None
        if expected != tuple(value.shape):
            raise DataError(
                f"{path}: tensor '{name}' has shape {tuple(value.shape)}, the network expects {expected}; "
                "the file belongs to other parameters; run its stage again"
            )
    missing = sorted(set(wanted) - set(state))
    if missing and not partial:
        raise DataError(
            f"{path}: tensor '{missing[0]}' is missing; the file belongs to another network (params.yaml: network, "
            "backbone): set these back, or run its stage again"
        )
    network.load_state_dict(state, strict=False)
    return missing
