"""Masks that are hard to express, and a way to write them in a format."""

from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from auxseg.formats.export import write_format
from auxseg.formats.writer import Item, Options

NAMES = ("background", "cat", "traffic light")
VALUES = np.full(256, 255, np.uint8)
VALUES[:3] = (0, 8, 12)


def nested() -> np.ndarray:
    """A ring of class 1 with background, class 2 and 255 in its hole, corners that touch, and single pixels."""
    mask = np.zeros((40, 60), np.uint8)
    mask[4:34, 3:40] = 1
    mask[10:28, 10:33] = 0
    mask[13:20, 13:20] = 2
    mask[15:17, 15:17] = 0
    mask[20:25, 20:28] = 255
    mask[0:6, 48:60] = 2  # at the border
    mask[6:10, 44:48] = 2  # touches it at a corner
    mask[30, 50] = mask[32, 52] = mask[33, 53] = 1
    mask[36, 45:52] = 255
    return mask


def blobs(seed: int = 0, height: int = 120, width: int = 160) -> np.ndarray:
    """Smooth regions of the background, two classes and 255, as labels have them."""
    fields = np.random.default_rng(seed).normal(size=(4, height, width))
    smooth = np.stack([gaussian_filter(field, 8) for field in fields])
    return np.array([0, 1, 2, 255], np.uint8)[smooth.argmax(axis=0)]


def noise(height: int = 20, width: int = 30) -> np.ndarray:
    """Every pixel drawn by itself: the worst case."""
    return np.random.default_rng(3).choice(np.array([0, 1, 2, 255], np.uint8), (height, width))


ALL = {"nested": nested(), "blobs": blobs(), "noise": noise(), "empty": np.zeros((5, 7), np.uint8)}
ALL["ignored"] = np.full((5, 7), 255, np.uint8)


def written(folder: Path, name: str, masks: dict[str, np.ndarray], split: str = "train", **options) -> list[str]:
    """Write masks by id in a format; their images are `images/<id>.jpg` of the root."""
    items = (Item(key, split, f"images/{key}.jpg", mask) for key, mask in masks.items())
    return write_format(name, folder, items, Options(NAMES, VALUES, "auxseg r1", **options))


def agreement(found: np.ndarray, mask: np.ndarray) -> float:
    """Return the share of pixels with the same value."""
    assert found.shape == mask.shape
    return float((found == mask).mean())


def require_no_gaps(found: np.ndarray, mask: np.ndarray, tolerance: float) -> None:
    """Assert that nothing became background but what lies near the background of the mask, or at the image's edge."""
    near = distance_transform_edt(np.pad(mask, 1) != 0)[1:-1, 1:-1] <= tolerance + 1.5
    assert not ((found == 0) & (mask != 0) & ~near).any()
