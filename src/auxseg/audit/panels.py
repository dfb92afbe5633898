"""The pictures of the report as arrays: photo, grey map, heat and label overlay, and the strip that joins them.

A panel is uint8 (h, w, 3). Labels and predictions are scaled to the panel by nearest neighbour, so a colour is
always the colour of one class.
"""

import io
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from auxseg.images import IGNORE, colourise

MAX_HEIGHT, MAX_WIDTH = 160, 320
"""Largest panel, pixels; a photo is scaled down to fit and never up."""
MIN_CELL = 96
"""A narrower panel stands in the middle of a cell of this width, so that its caption has room."""
GAP = 4
"""White pixels between two panels of a strip."""
HATCH_PERIOD = 8
"""Pixels from one light diagonal of the ignore hatch to the next."""

_FADE, _COLOUR, _HEAT, _HATCH = 0.55, 0.7, 0.6, 0.75
_LIGHT, _DARK = 245, 40


def panel_size(height: int, width: int) -> tuple[int, int]:
    """Return height and width of the panels of a photo."""
    scale = min(1.0, MAX_HEIGHT / height, MAX_WIDTH / width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def photo_panel(rgb: np.ndarray) -> np.ndarray:
    """Scale a photo, uint8 (H, W, 3), to its panel."""
    height, width = panel_size(*rgb.shape[:2])
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)


def grey_panel(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Show an 8-bit map, uint8 (H, W), as grey: white = 255."""
    grey = cv2.resize(values, size[::-1], interpolation=cv2.INTER_AREA)
    return np.repeat(grey[..., None], 3, axis=2)


def heat_panel(cam: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Lay the strongest class of a CAM over a photo panel: blue = 0, red = 1.

    Args:
        cam: float (L, h, w) at network resolution; values beyond 0..1 are clipped, L may be 0.
        photo: a panel.
    """
    height, width = photo.shape[:2]
    strongest = cam.astype(np.float32).max(axis=0) if len(cam) else np.zeros((1, 1), np.float32)
    strongest = cv2.resize(strongest, (width, height), interpolation=cv2.INTER_LINEAR)
    steps = np.rint(np.clip(strongest, 0, 1) * 255).astype(np.uint8)
    heat = cv2.applyColorMap(steps, cv2.COLORMAP_JET)[..., ::-1]
    return _mix(photo, heat, _HEAT)


def label_panel(label: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Lay a label over a photo panel: classes in their VOC colour, background faded, 255 hatched.

    Args:
        label: uint8 (H, W) of any size: class indices, 0 = background, 255 = ignore.
        photo: a panel.
    """
    height, width = photo.shape[:2]
    label = cv2.resize(label, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    grey = np.repeat(photo.mean(axis=2, keepdims=True), 3, axis=2)
    panel = _mix(grey, np.full_like(grey, 255), _FADE)
    is_object = (label != 0) & (label != IGNORE)
    panel[is_object] = _mix(grey, colourise(label), _COLOUR)[is_object]
    rows, columns = np.indices((height, width))
    light = (rows + columns) % HATCH_PERIOD < HATCH_PERIOD // 2
    hatch = np.repeat(np.where(light, _LIGHT, _DARK)[..., None], 3, axis=2)
    ignored = label == IGNORE
    panel[ignored] = _mix(grey, hatch, _HATCH)[ignored]
    return panel


def join(panels: Sequence[np.ndarray]) -> np.ndarray:
    """Put panels of one size side by side, `GAP` apart, each in the middle of its cell, on white."""
    height, width = panels[0].shape[:2]
    cell = cell_width(width)
    strip = np.full((height, len(panels) * (cell + GAP) - GAP, 3), 255, np.uint8)
    for index, panel in enumerate(panels):
        left = panel_left(index, width)
        strip[:, left : left + width] = panel
    return strip


def cell_width(width: int) -> int:
    """Return the width of a strip's cell for panels of some width."""
    return max(width, MIN_CELL)


def panel_left(index: int, width: int) -> int:
    """Return the column where panel `index` of a strip begins."""
    cell = cell_width(width)
    return index * (cell + GAP) + (cell - width) // 2


def encode_strip(strip: np.ndarray) -> bytes:
    """Encode a strip as JPEG with full colour resolution, so that class colours and hatch stay sharp."""
    buffer = io.BytesIO()
    Image.fromarray(strip).save(buffer, "JPEG", quality=85, subsampling=0)
    return buffer.getvalue()


def _mix(below: np.ndarray, above: np.ndarray, share: float) -> np.ndarray:
    return np.rint((1 - share) * below.astype(np.float32) + share * above).astype(np.uint8)
