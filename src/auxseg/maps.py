"""Resample dense maps from network resolution to the size of the image.

This is plain arithmetic in a fixed order instead of a library's resize. Libraries choose their kernels by processor
(OpenCV's differ by 1e-6), and a pixel of a label may depend on the last bit. So every machine makes the same labels,
and the report, which has the same lines in JavaScript, recomputes them exactly.
"""

from collections.abc import Iterator

import numpy as np

_BAND = 256


def upsample(maps: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize maps (L, h, w) bilinearly (pixel centres at half integers) to float32 (L, height, width).

    Every product and sum is rounded to float32, columns first. Positions are computed in float64 and rounded once.
    """
    maps = maps.astype(np.float32)
    if maps.shape[1:] == (height, width):
        return maps
    ((_, resized),) = upsampled_bands(maps, height, width, height)
    return resized


def upsampled_bands(maps: np.ndarray, height: int, width: int, rows: int = _BAND) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield `upsample`'s result in bands of rows: which rows, and float32 (L, up to `rows`, width).

    The whole result of a photo of 12 megapixels and 80 classes would take 4 GB.
    """
    bands = (slice(start, min(start + rows, height)) for start in range(0, height, rows))
    maps = maps.astype(np.float32, copy=False)
    if maps.shape[1:] == (height, width):  # such as a CRF's probabilities, where there is nothing to compute
        yield from ((band, maps[:, band]) for band in bands)
        return
    left, right, to_right = _neighbours(maps.shape[2], width)
    top, bottom, to_bottom = _neighbours(maps.shape[1], height)
    for band in bands:
        first = top[band.start]
        own = maps[:, first : bottom[band][-1] + 1]
        wide = own[:, :, left] * (1 - to_right) + own[:, :, right] * to_right
        share = to_bottom[band, None]
        yield band, wide[:, top[band] - first] * (1 - share) + wide[:, bottom[band] - first] * share


def strongest(maps: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the index of the largest of the maps (L, h, w) at each pixel of `upsample`'s result, uint8 (H, W)."""
    indices = np.empty((height, width), np.uint8)
    for rows, band in upsampled_bands(maps, height, width):
        indices[rows] = band.argmax(axis=0)
    return indices


def _neighbours(size: int, wanted: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return both neighbours of each of `wanted` pixels on a grid of `size`, and the float32 weight of the second."""
    position = np.clip((np.arange(wanted) + 0.5) * size / wanted - 0.5, 0, size - 1)
    first = np.floor(position).astype(int)
    return first, np.minimum(first + 1, size - 1), (position - first).astype(np.float32)
