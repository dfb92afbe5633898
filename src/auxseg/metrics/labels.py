"""What one pseudo label looks like: pixels and connected components of every class. No mask is needed.

The stage `score` measures every label once and writes rows of AREA_COLUMNS; `auxseg.metrics.label_tables` pools them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from auxseg.artifacts.tables import write_csv
from auxseg.encoded import IGNORE

AREA_COLUMNS = {"image_id": str, "class": int, "pixels": int, "components": int}
"""Columns of a file of areas, with their types; the class is its index."""


@dataclass(frozen=True, slots=True)
class ClassArea:
    """The area of one class, or of 255, in one label: pixels and 8-connected components."""

    image_id: str
    index: int
    pixels: int
    components: int


def measure_label(image_id: str, label: np.ndarray) -> list[ClassArea]:
    """Measure every value of a label, uint8 (H, W) of class indices and 255, in ascending order."""
    values, pixels = np.unique(label, return_counts=True)
    return [
        ClassArea(image_id, int(value), int(count), count_components(label == value))
        for value, count in zip(values, pixels, strict=True)
    ]


def ignored_share(label: np.ndarray) -> float:
    """Return the share of 255 among the pixels of a label, uint8 (H, W), in [0, 1]."""
    return float(np.mean(label == IGNORE))


def changed_share(before: np.ndarray, label: np.ndarray) -> float:
    """Return the share of pixels in [0, 1] that differ between two labels of one image, both uint8 (H, W)."""
    return float(np.mean(before != label))


def count_components(region: np.ndarray) -> int:
    """Return the number of 8-connected components of a region, bool (H, W)."""
    return cv2.connectedComponents(region.astype(np.uint8), connectivity=8)[0] - 1


def write_areas(path: Path, areas: Iterable[ClassArea]) -> None:
    """Write the areas of one shard, with AREA_COLUMNS."""
    rows = [[area.image_id, area.index, area.pixels, area.components] for area in areas]
    write_csv(path, list(AREA_COLUMNS), rows)
