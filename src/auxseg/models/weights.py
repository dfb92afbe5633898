"""Weights in and out of safetensors files, and the devices they run on."""

import logging
import os
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import nn

from auxseg.artifacts.tensors import TensorFile, write_tensors
from auxseg.errors import DataError, ParamsError
from auxseg.params.runtime import RuntimeParams


def save_weights(path: Path, network: nn.Module, metadata: Any) -> None:
    """Write a network's state, float32 as it stands, atomically and deterministically."""
    state = {name: value.detach().cpu().contiguous().numpy() for name, value in network.state_dict().items()}
    write_tensors(path, state, metadata)


def load_weights(path: Path, network: nn.Module, *, partial: bool = False) -> list[str]:
    """Load a file's tensors into a network; return the network's tensors that the file does not have.

    `partial` allows such tensors (round 1 starts from the classifier, which has no segmentation branch); the file
    must fit the network in any case.

    Raises:
        DataError: a tensor is unknown, missing or of another shape.
    """
    file = TensorFile(path)
    state = {name: torch.from_numpy(file[name].copy()) for name in file}
    wanted = network.state_dict()
    for name, value in state.items():
        expected = tuple(wanted[name].shape) if name in wanted else None
        if expected != tuple(value.shape):
            raise DataError(
                f"{path}: tensor '{name}' has shape {tuple(value.shape)}, the network expects {expected}; "
                "the file belongs to other parameters, run its stage again"
            )
    missing = sorted(set(wanted) - set(state))
    if missing and not partial:
        raise DataError(f"{path}: tensor '{missing[0]}' is missing; the file belongs to another network")
    network.load_state_dict(state, strict=False)
    return missing


def setup(params: RuntimeParams) -> torch.device:
    """Set threads and determinism for this process and return its device (AUXSEG_DEVICE, else CUDA if there is one).

    Raises:
        ParamsError: AUXSEG_DEVICE is no name of a device.
    """
    torch.set_num_threads(params.threads)
    cv2.setNumThreads(params.threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # deterministic cuBLAS needs a fixed workspace
    torch.use_deterministic_algorithms(True, warn_only=True)  # some CUDA kernels have no deterministic form
    torch.utils.deterministic.fill_uninitialized_memory = False  # costs time and only helps to find bugs
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False  # torch's default; float32 means float32
    default = "cuda" if torch.cuda.is_available() else "cpu"
    if os.environ.get("CUDA_VISIBLE_DEVICES") and default == "cpu":
        logging.warning("CUDA_VISIBLE_DEVICES names a GPU, and torch finds none: this runs on the CPU")
    name = os.environ.get("AUXSEG_DEVICE", default)
    try:
        return torch.device(name)
    except RuntimeError:
        raise ParamsError(f"AUXSEG_DEVICE={name}: no device of torch; write cpu, cuda or cuda:1") from None
