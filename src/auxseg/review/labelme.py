"""labelme's JSON files: a label as polygons, and the shapes that a person drew as a label.

Shapes are painted one over the other in the order of the file, as labelme's own converters do. What no shape covers is
background. labelme's conventional names `_background_` and `__ignore__` stand for 0 and 255.
"""

import base64
import binascii
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from auxseg.errors import DataError
from auxseg.images import IGNORE, decode_indices
from auxseg.review.regions import find_regions

BACKGROUND_NAME, IGNORE_NAME = "_background_", "__ignore__"
SHAPES = ("polygon", "rectangle", "circle", "mask")
"""The kinds of shapes that have an area."""
Points = list[tuple[float, float]]


def labelme_content(label: np.ndarray, names: Sequence[str], image: str, tolerance: float) -> dict[str, Any]:
    """Return the content of a labelme file.

    Args:
        label: uint8 (H, W), class indices, 255 = ignore.
        names: class names by index, 0 = background.
        image: path of the image, relative to the file.
        tolerance: as for `find_regions`.
    """
    written = {**dict(enumerate(names)), 0: BACKGROUND_NAME, IGNORE: IGNORE_NAME}
    shapes: list[dict[str, Any]] = [
        {
            "label": written[region.value],
            "points": [list(point) for point in region.points],
            "group_id": None,
            "description": "",
            "shape_type": "polygon",
            "flags": {},
        }
        for region in find_regions(label, tolerance)
    ]
    height, width = label.shape
    size = {"imageHeight": height, "imageWidth": width}
    return {"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": image, "imageData": None, **size}


def read_labelme(path: Path, names: Sequence[str]) -> np.ndarray:
    """Read a labelme file as a label, uint8 (H, W) of class indices, 255 = ignore.

    Args:
        path: the JSON file.
        names: class names by index, 0 = background.

    Raises:
        DataError: the file is not labelme's, or a shape has an unknown class or no area.
    """
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error}); save it again in labelme") from None
    return label_of(content, names, path)


def label_of(content: Any, names: Sequence[str], path: Path) -> np.ndarray:
    """Return what `read_labelme` does, from the content of the file; `path` is for messages."""
    shapes = content.get("shapes") if isinstance(content, dict) else None
    if not isinstance(shapes, list):
        raise DataError(f"{path}: not a file of labelme, which has 'shapes'; give the JSON that labelme saved")
    height, width = content.get("imageHeight"), content.get("imageWidth")
    if not (isinstance(height, int) and isinstance(width, int) and 0 < height < 65536 and 0 < width < 65536):
        raise DataError(f"{path}: imageHeight and imageWidth are not the image's size; save it again in labelme")
    indices = {**{name: index for index, name in enumerate(names)}, BACKGROUND_NAME: 0, IGNORE_NAME: IGNORE}
    picture = Image.new("L", (width, height))
    for number, shape in enumerate(shapes, 1):
        where = f"{path} shape {number}"
        if not isinstance(shape, dict) or not isinstance(shape.get("label"), str):
            raise DataError(f"{where}: has no label; save it again in labelme")
        name, kind = shape["label"], shape.get("shape_type") or "polygon"
        if name not in indices:
            known = ", ".join([*names[1:], BACKGROUND_NAME, IGNORE_NAME])
            raise DataError(f"{where}: class '{name}' is not one of {known}; rename it in labelme")
        if kind not in SHAPES:
            raise DataError(f"{where}: a {kind} of '{name}' has no area; draw a polygon, or delete it")
        _paint(picture, shape, kind, indices[name], where)
    return np.asarray(picture)


def _paint(picture: Image.Image, shape: dict[str, Any], kind: str, value: int, where: str) -> None:
    points, draw = _points(shape.get("points"), where), ImageDraw.Draw(picture)
    if (kind == "polygon" and len(points) < 3) or (kind != "polygon" and len(points) != 2):
        raise DataError(f"{where}: a {kind} of {len(points)} points; draw it again, or delete it")
    if kind == "polygon":
        draw.polygon(points, fill=value, outline=value)
        return
    (x1, y1), (x2, y2) = points
    if kind == "circle":  # its centre, and a point on it
        radius = math.hypot(x2 - x1, y2 - y1)
        draw.ellipse((x1 - radius, y1 - radius, x1 + radius, y1 + radius), fill=value, outline=value)
    elif kind == "rectangle":
        draw.rectangle((min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)), fill=value, outline=value)
    else:
        picture.paste(value, (int(x1), int(y1)), _stencil(shape.get("mask"), where))


def _points(given: Any, where: str) -> Points:
    try:
        points = [(float(x), float(y)) for x, y in given]
    except (TypeError, ValueError):
        raise DataError(f"{where}: its points are not pairs of numbers; draw it again, or delete it") from None
    if not all(abs(number) < 1e6 for point in points for number in point):  # also NaN
        raise DataError(f"{where}: a point is far outside the image; draw it again, or delete it")
    return points


def _stencil(given: Any, where: str) -> Image.Image:
    """Return the PNG of a shape of kind `mask`, which lies at the shape's first point, as 0 and 255."""
    try:
        stored = decode_indices(base64.b64decode(given, validate=True))
        return Image.fromarray(np.where(stored > 0, 255, 0).astype(np.uint8))
    except (TypeError, ValueError, OSError, binascii.Error) as error:
        raise DataError(f"{where}: its mask is not a PNG ({error}); draw it again, or delete it") from None
