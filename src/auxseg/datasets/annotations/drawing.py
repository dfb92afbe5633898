"""Regions of an image, bool (H, W), from the shapes that annotation tools store."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask

from auxseg.counts import counted
from auxseg.errors import DataError, quote
from auxseg.images import check_pixels, open_content, pixels_of

Size = tuple[int, int]
"""Height and width, pixels."""


_FAR = 100
"""A coordinate of more than this number of sides of the image is a mistake."""


class _OtherSizeError(Exception):
    pass


def coco_region(shape: Any, size: Size) -> np.ndarray:
    """Return the region of a COCO `segmentation`: a list of polygons, or RLE as numbers or as text.

    A polygon of fewer than three points is part of no region; see `encloses_nothing`.

    Raises:
        ValueError: it is neither, or belongs to an image of another size.
    """
    if isinstance(shape, list):
        # pycocotools takes four numbers for a box, and fewer than three points enclose nothing
        polygons = [polygon for polygon in coco_polygons(shape, size) if len(polygon) >= 6]
    try:
        if isinstance(shape, list):
            encoded = coco_mask.frPyObjects([polygon.tolist() for polygon in polygons], *size) if polygons else []
            region = coco_mask.decode(coco_mask.merge(encoded)) if encoded else np.zeros(size, np.uint8)
        else:
            counts = shape["counts"]
            if tuple(shape["size"]) != size:  # before an array of this size is made
                raise _OtherSizeError
            if (total := _run_total(counts)) != size[0] * size[1]:  # pycocotools leaves the rest undefined
                raise ValueError(f"runs of {counted(total, 'pixel')}, but the image has {size[0] * size[1]}")
            packed = shape if isinstance(counts, str | bytes) else coco_mask.frPyObjects(shape, *size)
            region = coco_mask.decode(packed)
    except _OtherSizeError:
        raise ValueError(f"has size {quote(tuple(shape['size']))}, the image {size}") from None
    except Exception as error:  # pycocotools raises Exception itself
        raise ValueError(f"is not a polygon or RLE ({error})") from None
    if region.shape != size:
        raise ValueError(f"has size {region.shape}, the image {size}")
    return region.astype(bool)


def _run_total(counts: Any) -> int:
    """Return the number of pixels of RLE, from its run lengths or their text, in which five bits are a character."""
    if not isinstance(counts, str | bytes):
        return int(sum(counts))
    runs: list[int] = []
    value = bits = 0
    for code in counts.encode() if isinstance(counts, str) else counts:
        part = code - 48
        value |= (part & 31) << bits
        bits += 5
        if part & 32:
            continue
        if part & 16:
            value -= 1 << bits
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = bits = 0
    if bits:
        raise ValueError("its text ends within a run")
    return sum(runs)


def coco_polygons(shape: list[Any], size: Size) -> list[np.ndarray]:
    """Return the polygons of a COCO `segmentation`, each float64 (2 N,): x and y in turn, pixels.

    pycocotools drops the last of an odd number of coordinates, takes NaN for 0, and reserves memory for every pixel of
    an edge, also of those far outside the image.

    Raises:
        ValueError: they are no lists of pairs of numbers, or lie far outside the image.
    """
    polygons = []
    for polygon in shape:
        try:
            numbers = np.asarray(polygon, np.float64)
        except (TypeError, ValueError, OverflowError):
            numbers = np.zeros((0, 0))
        if numbers.ndim != 1:
            raise ValueError(f"has {quote(polygon)} where a polygon is a list of numbers, [[x1, y1, x2, y2, …]]")
        if len(numbers) % 2:
            raise ValueError(f"has a polygon of {counted(len(numbers), 'coordinate')}, and each point has two")
        if not np.isfinite(numbers).all() or (abs(numbers) > _FAR * max(size)).any():
            raise ValueError(f"has a polygon with the coordinate {_farthest(numbers):g} in an image of {size}")
        polygons.append(numbers)
    return polygons


def _farthest(numbers: np.ndarray) -> float:
    return float(numbers[np.argmax(np.where(np.isfinite(numbers), abs(numbers), np.inf))])


def encloses_nothing(shape: Any, size: Size) -> bool:
    """Tell whether a COCO `segmentation`, or a polygon of it, is drawn as no pixel, so that the mask lacks it.

    It has fewer than three points, no area, or lies outside the image.

    Raises:
        ValueError: as `coco_region`.
    """
    if isinstance(shape, list):
        return any(_is_empty(polygon, size) for polygon in coco_polygons(shape, size))
    return not coco_region(shape, size).any()


def _is_empty(polygon: np.ndarray, size: Size) -> bool:
    if len(polygon) < 6:
        return True
    x, y = polygon[::2], polygon[1::2]
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    is_inside = x.min() >= 0 and x.max() <= size[1] and y.min() >= 0 and y.max() <= size[0]
    # only a few are drawn to find out
    return not (is_inside and area >= 1) and not coco_region([polygon], size).any()


def outline_region(kind: str, points: Sequence[Sequence[float]], size: Size) -> np.ndarray:
    """Return the region of a shape as labelme draws it.

    Shapes are polygons, rectangles (two corners), oriented rectangles and circles (centre, a point on it).

    Raises:
        ValueError: the points do not make such a shape.
    """
    image = Image.new("1", (size[1], size[0]))
    pen = ImageDraw.Draw(image)
    corners = [(float(x), float(y)) for x, y in points]
    numbers = np.asarray(corners, np.float64).reshape(-1)
    if not np.isfinite(numbers).all() or (abs(numbers) > _FAR * max(size)).any():
        raise ValueError(f"has the coordinate {_farthest(numbers):g} in an image of {size}")
    if kind == "rectangle" and len(corners) == 2:
        (x1, y1), (x2, y2) = corners
        pen.rectangle([min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)], outline=1, fill=1)
    elif kind == "circle" and len(corners) == 2:
        (x, y), edge = corners
        radius = float(np.hypot(x - edge[0], y - edge[1]))
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], outline=1, fill=1)
    elif kind in ("polygon", "rectangle", "oriented_rectangle") and len(corners) > 2:
        pen.polygon(corners, outline=1, fill=1)
    elif kind in ("point", "points", "line", "linestrip"):
        raise ValueError(f"a {kind} encloses no area")
    else:
        raise ValueError(f"{counted(len(corners), 'point does', 'points do')} not make a {kind}")
    return np.asarray(image)


def ellipse_region(centre: Sequence[float], radii: Sequence[float], turn: float, size: Size) -> np.ndarray:
    """Return the pixels whose centre lies in an ellipse that is turned by `turn` degrees, clockwise."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    angle = np.deg2rad(turn)
    along = (x - centre[0]) * np.cos(angle) + (y - centre[1]) * np.sin(angle)
    across = (y - centre[1]) * np.cos(angle) - (x - centre[0]) * np.sin(angle)
    inside: np.ndarray = (along / max(radii[0], 1e-9)) ** 2 + (across / max(radii[1], 1e-9)) ** 2 <= 1
    return inside


def png_region(text: str) -> np.ndarray:
    """Return a region from a PNG in base64; every value above 0 belongs to it.

    Raises:
        ValueError: it is not one.
    """
    try:
        with open_content(base64.b64decode(text), "the mask") as image:
            return pixels_of(Path("the mask"), lambda opened: np.asarray(opened.convert("L")) > 0, image)
    except (binascii.Error, TypeError, ValueError, DataError) as error:
        raise ValueError(f"not a PNG in base64 ({error})") from None


def size_of(height: Any, width: Any) -> Size:
    """Return the size of an image that a file announces.

    Raises:
        TypeError, ValueError: it is no size, or larger than any image that is read.
    """
    try:
        size = int(height), int(width)
    except OverflowError:
        raise ValueError("an endless size; export it again") from None
    check_pixels(*(max(1, side) for side in size))  # some tools write 0 where they know no size
    return size


def paint(size: Size, regions: Iterable[tuple[np.ndarray, int]]) -> np.ndarray:
    """Return a mask, uint8 (H, W), on which each region is painted over those before it."""
    mask = np.zeros(size, np.uint8)
    for region, index in regions:
        mask[region] = index
    return mask
