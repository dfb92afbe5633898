"""The device that a process computes on."""

import logging
import os
import platform
from pathlib import Path

import cv2
import torch

from auxseg.errors import ParamsError, ResourceError
from auxseg.params.runtime import RuntimeParams
from auxseg.torchrun import torchrun_rank


def prepare_device(params: RuntimeParams, *, training: bool = False) -> torch.device:
    """Set threads and determinism for this process and return its device: AUXSEG_DEVICE, else CUDA if available.

    Args:
        params: threads, precision, and whether kernels have to be deterministic.
        training: whether the process trains a network, on crops of one size, or only runs one, on images of many sizes.

    Raises:
        ParamsError: AUXSEG_DEVICE names no CPU or GPU.
        ResourceError: it names a GPU that torch cannot use; on a cluster, another node may have one that it can.
    """
    torch.set_num_threads(params.threads)
    cv2.setNumThreads(params.threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # deterministic cuBLAS needs a fixed workspace
    # some CUDA kernels have no deterministic version, so it only warns
    torch.use_deterministic_algorithms(params.deterministic, warn_only=True)
    # Filling is slow, and only useful to find bugs. torch adds this name at run time, so its types lack it.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # it measures kernels once for every size of input, which takes longer than running one image
    torch.backends.cudnn.benchmark = training and not params.deterministic
    allow_tf32(params)
    default = "cuda" if torch.cuda.is_available() else "cpu"
    if default == "cpu" and os.environ.get("CUDA_VISIBLE_DEVICES", "")[:1] not in ("", "-"):  # -1 means no GPU
        logging.warning("CUDA_VISIBLE_DEVICES names a GPU, but torch finds none: this runs on the CPU")
    name = os.environ.get("AUXSEG_DEVICE", default)
    try:
        device = torch.device(name)
        usable = device.type in ("cpu", "cuda")
        # ones need a kernel, which torch may not have for this GPU; a process of several gets its GPU later
        torch.ones(int(torchrun_rank() is None), device=device)
    except (RuntimeError, AssertionError, NotImplementedError):  # AssertionError: a torch without CUDA
        usable = False
    if not usable:
        kind = ResourceError if name.startswith("cuda") else ParamsError
        raise kind(f"AUXSEG_DEVICE={name}: torch cannot use this device here; write cpu, cuda or cuda:1")
    if device.type == "cuda":
        # the gradients of fused attention add in a fixed order only where torch may raise an error instead of a warning
        fused = not (training and params.deterministic)
        torch.backends.cuda.enable_flash_sdp(fused)
        torch.backends.cuda.enable_mem_efficient_sdp(fused)
        torch.backends.cuda.enable_cudnn_sdp(fused)
        if device.index is not None:
            torch.cuda.set_device(device)  # streams and events are those of the current device
    return device


def allow_tf32(params: RuntimeParams) -> None:
    """Let GPUs shorten the products of float32, or not; torch's own default is to do so in convolutions only."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = params.precision == "tf32"


def processor() -> str:
    """Return the model of the CPU, and its matrix extension, which virtual machines hide from some of their guests."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {key.strip(): value.strip() for key, value in facts.items()}
    matrices = " with AMX" if "amx_bf16" in named.get("flags", "") else ""
    return f"{named.get('model name', platform.machine())}{matrices}"
