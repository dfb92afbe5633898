"""Masks from the shapes of a JSON file of labelme."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from auxseg.datasets.annotations.drawing import Size, outline_region, paint, png_region
from auxseg.datasets.annotations.labelme_file import read_labelme_file
from auxseg.errors import DataError


def draw(path: Path, index_of: Callable[[str], int]) -> np.ndarray:
    """Return the mask of one image, uint8 (H, W) of class indices; a later shape covers earlier ones, as in labelme.

    Args:
        path: the JSON file.
        index_of: class name -> class index.

    Raises:
        DataError: the file is damaged, or a shape encloses no area.
    """
    content = read_labelme_file(path)
    regions = []
    for number, shape in enumerate(content.shapes, 1):
        label = str(shape["label"]).strip()
        try:
            regions.append((_region(shape, content.size), index_of(label)))
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            raise DataError(f"{path}: shape {number} ('{label}'): {error}; draw it again") from None
    return paint(content.size, regions)


def _region(shape: Mapping[str, Any], size: Size) -> np.ndarray:
    kind = shape.get("shape_type") or "polygon"
    if kind != "mask":
        return outline_region(kind, shape["points"], size)
    if not shape.get("mask"):
        raise ValueError("has no mask")
    inner = png_region(shape["mask"])
    # the points are the corners of the box that the mask fills, both inclusive
    left, top = (round(float(value)) for value in shape["points"][0])
    region = np.zeros(size, bool)
    part = inner[max(0, -top) : size[0] - top, max(0, -left) : size[1] - left]
    region[max(0, top) : max(0, top) + part.shape[0], max(0, left) : max(0, left) + part.shape[1]] = part
    return region
