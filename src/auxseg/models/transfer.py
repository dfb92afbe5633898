"""Copies between the CPU and a GPU that neither waits for.

On a CPU there is nothing to copy.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a CPU tensor on the device; the copy takes place beside the GPU's work."""
    if device.type == "cuda" and not tensor.is_pinned():  # from other memory, the copy would wait for that work
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def to_arrays(found: Iterable[Mapping[str, Tensor]]) -> Iterator[dict[str, np.ndarray]]:
    """Yield the maps of each image as arrays.

    The maps of an image on a GPU are waited for only when those of the next one were asked for, so that the GPU has
    work while the CPU reads, checks and stores. Such arrays are in pinned memory, which is scarce: copy what you keep.
    """
    before: tuple[dict[str, Tensor], torch.cuda.Event | None] | None = None
    for maps in found:
        started = _fetch(maps)
        if before is not None:
            yield _arrays(*before)
        before = started
    if before is not None:
        yield _arrays(*before)


def _fetch(maps: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], torch.cuda.Event | None]:
    if not any(value.is_cuda for value in maps.values()):
        return dict(maps), None
    copies = {
        name: torch.empty(value.shape, dtype=value.dtype, pin_memory=True).copy_(value, non_blocking=True)
        for name, value in maps.items()
    }
    event = torch.cuda.Event()
    event.record()
    return copies, event


def _arrays(maps: dict[str, Tensor], event: torch.cuda.Event | None) -> dict[str, np.ndarray]:
    if event is not None:
        event.synchronize()
    return {name: value.numpy() for name, value in maps.items()}
