"""Noise and soft edges, the raw material of every surface.

All arithmetic of the scenes is float64, although the result has 8 bits. Processors differ in the last bit of a sine or
a product, and at this precision such a difference disappears when the result is rounded.
"""

import cv2
import numpy as np


def noise(
    rng: np.random.Generator,
    shape: tuple[int, int],
    coarsest: int,
    octaves: int,
    persistence: float = 0.5,
    stretch: float = 1.0,
) -> np.ndarray:
    """Return multi-octave noise, float64 (H, W), mean 0 and standard deviation 1.

    Args:
        rng: source of randomness.
        shape: height and width, pixels.
        coarsest: cells of the coarsest octave along the height; each further octave has twice as many.
        octaves: number of octaves.
        persistence: amplitude of an octave over that of the one before. Larger is rougher.
        stretch: cells along the width over cells along the height; below 1 the grain runs along the rows.
    """
    height, width = shape
    total = np.zeros(shape)
    for octave in range(octaves):
        cells = coarsest * 2**octave
        grid = rng.standard_normal((cells + 1, max(2, round(cells * stretch) + 1)))
        total += persistence**octave * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    total -= total.mean()
    return total / max(total.std(), 1e-9)


def soft(signed: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """Turn a signed distance (positive inside), `scale` pixels a unit, into coverage, float64 in 0..1."""
    return np.clip(signed * scale + 0.5, 0.0, 1.0)


def blur(values: np.ndarray, sigma: float) -> np.ndarray:
    """Blur with a Gaussian of `sigma` pixels; below 0.2, return the input."""
    return values if sigma < 0.2 else cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def mix(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Blend two colours or images, (…, 3), by the share (H, W) in 0..1 of the second."""
    return first + (second - first) * share[..., None]
