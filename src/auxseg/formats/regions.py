"""The connected regions of a mask, and their outlines as polygons.

Coordinates are x, y in pixels with the origin at the corner of the image: pixel (0, 0) covers 0..1. There are two kinds
of outline, because the tools fill polygons differently:

    edge_outlines    run between pixels. Exact for tools that fill the pixels whose centre is inside (COCO, canvases).
    centre_outline   runs through the outermost pixels. Exact for tools that also draw the outline (labelme).

Regions are 4-connected. A pixel belongs to exactly one region.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Region:
    """One connected region of a class."""

    value: int
    """Class index, or 255."""
    left: int
    top: int
    pixels: np.ndarray
    """bool (h, w): the pixels within the bounding box at `left`, `top`."""

    def full(self, height: int, width: int) -> np.ndarray:
        """Return the pixels as uint8 (height, width) of the whole image, 0 or 1."""
        whole = np.zeros((height, width), np.uint8)
        whole[self.window] = self.pixels
        return whole

    @property
    def window(self) -> tuple[slice, slice]:
        """The bounding box as slices of the image."""
        height, width = self.pixels.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    @property
    def filled(self) -> np.ndarray:
        """The pixels together with those of all holes, bool (h, w)."""
        from scipy.ndimage import binary_fill_holes  # slow to import, and only some formats need it

        filled: np.ndarray = binary_fill_holes(self.pixels)
        return filled


def regions(mask: np.ndarray, values: list[int] | None = None) -> Iterator[Region]:
    """Yield the connected regions of a mask, uint8 (H, W): by value, then from top to bottom.

    `values` limits them to some class indices.
    """
    for value in np.unique(mask) if values is None else values:
        count, numbers, boxes, _ = cv2.connectedComponentsWithStats((mask == value).astype(np.uint8), connectivity=4)
        for number in range(1, count):
            left, top, width, height = boxes[number, :4].tolist()
            pixels = numbers[top : top + height, left : left + width] == number
            yield Region(int(value), left, top, pixels)


def painted(mask: np.ndarray) -> list[Region]:
    """Return the regions in the order in which filled outlines have to be drawn so that the last one drawn counts.

    Outer regions come before what lies in their holes. The background is among them only where it fills a hole.
    """
    ordered = sorted(((region, region.filled) for region in regions(mask)), key=lambda pair: -int(pair[1].sum()))
    covered = np.zeros(mask.shape, bool)
    drawn = []
    for region, filled in ordered:
        if region.value == 0 and not covered[region.window][region.pixels].any():
            continue
        covered[region.window] |= filled
        drawn.append(region)
    return drawn


def overlapping(ordered: Sequence[Region], tolerance: float) -> list[Region]:
    """Extend every region below those that are drawn after it, by more than the tolerance of its outline.

    Outlines that are simplified one by one leave gaps between regions, and a gap is background to every reader. Exact
    outlines leave none; with tolerance 0 the regions stay as they are.

    Args:
        ordered: the regions in the order in which they are drawn.
        tolerance: of their outlines, pixels.
    """
    from scipy.ndimage import binary_dilation  # as above

    if not ordered or tolerance == 0:
        return list(ordered)
    reach = math.ceil(tolerance) + 1
    bottom = max(region.window[0].stop for region in ordered)
    right = max(region.window[1].stop for region in ordered)
    later = np.zeros((bottom, right), bool)
    extended = []
    for region in reversed(ordered):
        rows, columns = region.window
        top, left = max(0, rows.start - reach), max(0, columns.start - reach)
        around = slice(top, min(bottom, rows.stop + reach)), slice(left, min(right, columns.stop + reach))
        whole = np.zeros(later[around].shape, bool)
        whole[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = region.pixels
        grown = binary_dilation(whole, iterations=reach, mask=whole | later[around])
        extended.append(Region(region.value, left, top, grown))
        later[region.window] |= region.pixels
    return extended[::-1]


def edge_outlines(region: Region, tolerance: float) -> list[np.ndarray]:
    """Return the outlines of a region, float (P, 2) each, P >= 3: the outer one, then those of its holes.

    Args:
        region: the region.
        tolerance: largest distance from the exact outline, pixels.
    """
    from skimage.measure import find_contours  # as above

    found = find_contours(np.pad(region.pixels, 1).astype(np.float32), 0.5)
    # rows and columns of padded pixel centres; closed, so the last point repeats the first
    outlines = [contour[:-1, ::-1] + (region.left - 0.5, region.top - 0.5) for contour in found]
    outlines.sort(key=lambda points: -cv2.contourArea(points.astype(np.float32)))
    return [_simplified(points, tolerance) for points in outlines]


def centre_outline(region: Region, tolerance: float) -> np.ndarray:
    """Return the outer outline of a region through the centres of its outermost pixels, float (P, 2).

    A region of one or two pixels has fewer than three points; they are repeated, because tools expect a polygon.
    """
    padded = np.pad(region.pixels, 1).astype(np.uint8)
    contours, _ = cv2.findContours(padded, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    points = contours[0][:, 0] + (region.left - 0.5, region.top - 0.5)
    points = _simplified(points, tolerance)
    return points if len(points) >= 3 else np.concatenate([points, np.repeat(points[-1:], 3 - len(points), axis=0)])


def _simplified(points: np.ndarray, tolerance: float) -> np.ndarray:
    """Drop points that lie on straight lines, and those that the tolerance makes unnecessary."""
    for distance in (tolerance, 1e-4):
        simple = cv2.approxPolyDP(points.astype(np.float32), distance, closed=True)[:, 0].astype(np.float64)
        if len(simple) >= 3:  # a small region would vanish
            return simple
    return points
