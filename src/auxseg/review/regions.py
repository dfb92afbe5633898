"""A label as polygons, and polygons as a label: the way into annotation tools that know outlines only.

Polygons are painted one over the other, from first to last. Points are pixel centres, and a polygon's outline belongs
to it, as in labelme's own converters.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw


@dataclass(frozen=True)
class Region:
    """A polygon of one class; `value` is 0 for the background, 1..C for a class, 255 for ignored pixels."""

    value: int
    points: tuple[tuple[float, float], ...]
    """x and y of three corners or more, in pixels."""


def find_regions(label: np.ndarray, tolerance: float = 0.0) -> list[Region]:
    """Return polygons that give the label again if they are painted on background, from first to last.

    Of the background, only parts inside another region have a polygon.

    Args:
        label: uint8 (H, W).
        tolerance: distance in pixels by which an outline may differ, to have fewer corners; 0 keeps every pixel.
    """
    found = [piece for value in np.unique(label).tolist() for piece in _pieces(label == value, value)]
    # A piece with 4 neighbours lies in one hole of another or outside it. So the larger outline comes first, and what
    # it covers too much is painted over by the pieces in its holes.
    found.sort(key=lambda piece: -cv2.contourArea(piece[1]))
    canvas, regions = np.zeros(label.shape, np.uint8), []
    for value, outline, inside in found:
        if value == 0 and 2 * np.count_nonzero(canvas[inside]) < len(inside[0]):
            continue
        corners = cv2.approxPolyDP(outline, tolerance, closed=True) if tolerance else outline
        points = [(float(x), float(y)) for x, y in corners[:, 0]]
        points += points[:1] * (3 - len(points))  # labelme rejects a polygon of fewer than three corners
        regions.append(Region(value, tuple(points)))
        paint(canvas, regions[-1:])
    return regions


def paint(canvas: np.ndarray, regions: Iterable[Region]) -> None:
    """Paint polygons on a label, uint8 (H, W), in place."""
    picture = Image.fromarray(canvas)
    draw = ImageDraw.Draw(picture)
    for region in regions:
        draw.polygon(list(region.points), fill=region.value, outline=region.value)
    canvas[...] = np.asarray(picture)


def _pieces(mask: np.ndarray, value: int) -> Sequence[tuple[int, np.ndarray, tuple[np.ndarray, np.ndarray]]]:
    """Return value, outer outline (N, 1, 2) and pixels (rows, columns) of every piece of a mask, with 4 neighbours."""
    count, numbers, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    pieces = []
    for number in range(1, count):
        left, top, width, height = boxes[number, :4].tolist()
        own = (numbers[top : top + height, left : left + width] == number).astype(np.uint8)
        outlines, _ = cv2.findContours(own, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(left, top))
        rows, columns = np.nonzero(own)
        pieces.append((value, outlines[0], (rows + top, columns + left)))
    return pieces
