"""Resample dense maps from network resolution to the size of the image.

This is plain arithmetic in a fixed order instead of a library's resize. Libraries choose their kernels by processor
(OpenCV's differ by 1e-6), and a pixel of a label may depend on the last bit. So every machine makes the same labels,
and the report, which has the same lines in JavaScript, recomputes them exactly.
"""

import numpy as np


def upsample(maps: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize maps (L, h, w) bilinearly (pixel centres at half integers) to float32 (L, height, width).

    Every product and sum is rounded to float32, columns first. Positions are computed in float64 and rounded once.
    """
    maps = maps.astype(np.float32)
    if maps.shape[1:] == (height, width):
        return maps
    left, right, to_right = _neighbours(maps.shape[2], width)
    top, bottom, to_bottom = _neighbours(maps.shape[1], height)
    rows = maps[:, :, left] * (1 - to_right) + maps[:, :, right] * to_right
    to_bottom = to_bottom[:, None]
    resized: np.ndarray = rows[:, top] * (1 - to_bottom) + rows[:, bottom] * to_bottom
    return resized


def _neighbours(size: int, wanted: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return both neighbours of each of `wanted` pixels on a grid of `size`, and the float32 weight of the second."""
    position = np.clip((np.arange(wanted) + 0.5) * size / wanted - 0.5, 0, size - 1)
    first = np.floor(position).astype(int)
    return first, np.minimum(first + 1, size - 1), (position - first).astype(np.float32)
