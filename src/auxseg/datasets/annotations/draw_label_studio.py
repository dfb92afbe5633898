"""Masks from the regions of a Label Studio export."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from auxseg.counts import counted
from auxseg.datasets.annotations.drawing import coco_region, ellipse_region, outline_region, paint
from auxseg.datasets.annotations.label_studio_file import Region, png_class, read_label_studio_file
from auxseg.errors import DataError
from auxseg.images import MAX_PIXELS, open_image, pixels_of


def draw(path: Path, index_of: Callable[[str], int]) -> np.ndarray:
    """Return the mask of one image, uint8 (H, W) of class indices; a later region covers earlier ones.

    Args:
        path: `<export>.json#<task id>`.
        index_of: class name -> class index.

    Raises:
        DataError: the export has no such task, or a region is damaged.
    """
    file, _, key = str(path).rpartition("#")
    tasks = read_label_studio_file(Path(file))
    if key not in tasks or not (tasks[key].regions or tasks[key].pngs):
        raise DataError(f"{file}: has no regions of task {key}; run `auxseg scan`, then the pipeline again")
    task = tasks[key]
    if task.pngs:
        known = tuple({name for other in tasks.values() for name in other.names})
        layers = [(_layer(png), index_of(png_class(png, known))) for png in task.pngs]
        return paint(layers[0][0].shape, layers)
    regions = []
    for number, region in enumerate(task.regions, 1):
        try:
            shape = _region(region)
        except (ValueError, KeyError, TypeError, IndexError, ArithmeticError) as error:
            raise DataError(f"{file}: task {key} region {number} ({region.kind}): {error}; export it again") from None
        regions += [(shape, index_of(name)) for name in region.names]
    return paint(task.regions[0].size, regions)


def _layer(path: Path) -> np.ndarray:
    with open_image(path) as image:
        return pixels_of(path, _above_zero, image)


def _above_zero(image: Image.Image) -> np.ndarray:
    layer: np.ndarray = np.asarray(image.convert("L")) > 0
    return layer


def _region(region: Region) -> np.ndarray:
    """Return a region, bool (H, W); its points are in per cent of width and height."""
    height, width = region.size
    value = region.value
    if region.kind == "brushlabels":
        rgba = decode_rle(bytes(value["rle"]))
        return rgba.reshape(height, width, 4)[..., 3] > 0
    if region.kind == "polygonlabels":
        if len(value["points"]) < 3:
            raise ValueError(f"{counted(len(value['points']), 'point does', 'points do')} not make a polygon")
        # edges run between pixels, as in COCO
        flat = [number for x, y in value["points"] for number in (x * width / 100, y * height / 100)]
        return coco_region([flat], region.size)
    left, top = value["x"] * width / 100, value["y"] * height / 100
    if region.kind == "ellipselabels":
        radii = (value["radiusX"] * width / 100, value["radiusY"] * height / 100)
        return ellipse_region((left, top), radii, value.get("rotation", 0), region.size)
    # turned around its first corner, clockwise
    angle = np.deg2rad(value.get("rotation", 0))
    along = np.array([np.cos(angle), np.sin(angle)]) * value["width"] * width / 100
    down = np.array([-np.sin(angle), np.cos(angle)]) * value["height"] * height / 100
    corner = np.array([left, top])
    corners = [corner, corner + along, corner + along + down, corner + down]
    return outline_region("polygon", [tuple(point) for point in corners], region.size)


def decode_rle(content: bytes) -> np.ndarray:
    """Decode the brush format of Label Studio (that of @thi.ng/rle-pack), uint8 of one dimension.

    32 bits: number of values. 5 bits: bits of a value - 1. Four times 4 bits: bits of a run length - 1. Then runs: one
    bit that is 1 for a repeated value, two bits that choose the length's size, the length - 1, and one value or all.

    Raises:
        ValueError: the content ends too early.
    """
    bits = np.unpackbits(np.frombuffer(content, np.uint8))
    at = 0

    def read(size: int) -> int:
        nonlocal at
        if at + size > len(bits):
            raise ValueError("the RLE ends too early")
        number = int("".join(map(str, bits[at : at + size])), 2)
        at += size
        return number

    count, width = read(32), read(5) + 1
    if count > 4 * MAX_PIXELS or width > 8:
        raise ValueError("not the RLE of a brush")
    sizes = [read(4) + 1 for _ in range(4)]
    values = np.zeros(count, np.uint8)
    done = 0
    while done < count:
        is_repeated = read(1)
        stop = done + read(sizes[read(2)]) + 1
        if is_repeated:
            values[done:stop] = read(width)
        else:
            for position in range(done, min(stop, count)):
                values[position] = read(width)
        done = stop
    return values
