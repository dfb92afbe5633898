"""A photograph as a network takes it."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from auxseg.images import read_rgb


def to_tensor(rgb: np.ndarray, device: torch.device) -> Tensor:
    """Return an image, uint8 (H, W, 3), as float32 (1, 3, H, W) in 0..255 on a device."""
    return torch.from_numpy(rgb.transpose(2, 0, 1).copy())[None].float().to(device)


def image_tensor(path: Path, device: torch.device) -> Tensor:
    """Read a photograph as float32 (1, 3, H, W) in 0..255 on a device."""
    return to_tensor(read_rgb(path), device)
