"""Convert an image to the input of a network."""

import numpy as np
import torch
from torch import Tensor

from auxseg.models.resampling import resample
from auxseg.models.transfer import to_device
from auxseg.params.runtime import RuntimeParams


def scaled(image: Tensor, scale: float) -> Tensor:
    """Resize an image (B, 3, H, W) bilinearly by a factor; scale 1 returns it unchanged."""
    if scale == 1:
        return image
    height, width = image.shape[-2:]
    size = [max(1, round(height * scale)), max(1, round(width * scale))]
    return resample(image, size, antialias=scale < 1)


def to_tensor(rgb: np.ndarray, device: torch.device, runtime: RuntimeParams) -> Tensor:
    """Return an image, uint8 (H, W, 3), as float32 (1, 3, h, w) in 0..255, resized as `runtime` says."""
    image = to_device(torch.from_numpy(rgb.transpose(2, 0, 1).copy())[None], device).float()
    return scaled(image, runtime.factor(max(rgb.shape[:2])))
