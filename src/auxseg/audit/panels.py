"""The small pictures of the report as arrays: photo, grey map, heat and label overlay, and sheets of them.

A panel is uint8 (h, w, 3). Labels and predictions are scaled to the panel by nearest neighbour, so that a colour always
belongs to one class.
"""

import io
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from auxseg.encoded import IGNORE, colourise

MAX_HEIGHT, MAX_WIDTH = 160, 320
"""Largest panel of a figure, pixels; a photo is scaled down to fit, never up."""
CELL_HEIGHT, CELL_WIDTH = 96, 128
"""Cell of a thumbnail sheet, pixels; a thumbnail is in its upper left corner."""
SHEET_COLUMNS = 8
"""Cells per row of a thumbnail sheet."""
HATCH_PERIOD = 8
"""Distance of the light diagonals in the hatching of ignored pixels, in pixels."""
CHANGE_COLOURS = {"added": (0, 158, 115), "removed": (213, 94, 0), "changed": (86, 180, 233)}
"""Colours that colour-blind people can distinguish (Okabe and Ito)."""

_FADE, _COLOUR, _HEAT, _HATCH = 0.55, 0.7, 0.6, 0.75
_LIGHT, _DARK = 245, 40


def panel_size(height: int, width: int, most: tuple[int, int] = (MAX_HEIGHT, MAX_WIDTH)) -> tuple[int, int]:
    """Return height and width of the panels of a photo; `most` is the largest height and width."""
    scale = min(1.0, most[0] / height, most[1] / width)
    # rounds halves up, as Math.round in thumbs.js does, and not to even as round() does
    return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))


def photo_panel(rgb: np.ndarray, most: tuple[int, int] = (MAX_HEIGHT, MAX_WIDTH)) -> np.ndarray:
    """Scale a photo, uint8 (H, W, 3), to its panel."""
    height, width = panel_size(rgb.shape[0], rgb.shape[1], most)
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)


def grey_panel(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Show an 8-bit map, uint8 (H, W), as grey: white = 255."""
    grey = cv2.resize(values, size[::-1], interpolation=cv2.INTER_AREA)
    return np.repeat(grey[..., None], 3, axis=2)


def heat_panel(cam: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Overlay the strongest class of a CAM on a photo panel: blue = 0, red = 1.

    Args:
        cam: float (L, h, w) at network resolution; values outside 0..1 are clipped; L may be 0.
        photo: a panel.
    """
    height, width = photo.shape[:2]
    strongest = cam.astype(np.float32).max(axis=0) if len(cam) else np.zeros((1, 1), np.float32)
    strongest = cv2.resize(strongest, (width, height), interpolation=cv2.INTER_LINEAR)
    steps = np.rint(np.clip(strongest, 0, 1) * 255).astype(np.uint8)
    heat = cv2.applyColorMap(steps, cv2.COLORMAP_JET)[..., ::-1]
    return _mix(photo, heat, _HEAT)


def label_panel(label: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Overlay a label on a photo panel: classes in their VOC colour, background faded, 255 hatched.

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


def change_panel(before: np.ndarray, now: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Overlay the difference of two labels, uint8 (H, W), on a photo panel that is faded where nothing changed.

    The words are those of `auxseg.comparison.diff`: added where 255 became a class or background, removed where the
    reverse happened, changed where a class or background became another.
    """
    height, width = photo.shape[:2]
    before, now = (cv2.resize(v, (width, height), interpolation=cv2.INTER_NEAREST_EXACT) for v in (before, now))
    grey = np.repeat(photo.mean(axis=2, keepdims=True), 3, axis=2)
    panel = _mix(grey, np.full_like(grey, 255), _FADE)
    added, removed = before == IGNORE, now == IGNORE
    for where, colour in zip((added, removed, ~added & ~removed), CHANGE_COLOURS.values(), strict=True):
        chosen = (before != now) & where
        panel[chosen] = _mix(grey, np.asarray(colour, np.uint8), _COLOUR)[chosen]
    return panel


def sheet(pictures: Sequence[np.ndarray | None]) -> np.ndarray:
    """Put thumbnails on one sheet, `SHEET_COLUMNS` per row; None leaves a cell black."""
    rows = -(-len(pictures) // SHEET_COLUMNS)
    joined = np.zeros((rows * CELL_HEIGHT, SHEET_COLUMNS * CELL_WIDTH, 3), np.uint8)
    for slot, picture in enumerate(pictures):
        if picture is not None:
            top, left = slot // SHEET_COLUMNS * CELL_HEIGHT, slot % SHEET_COLUMNS * CELL_WIDTH
            joined[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return joined


def encode_jpeg(picture: np.ndarray, quality: int = 85) -> bytes:
    """Encode a picture, uint8 (H, W, 3), with full colour resolution to keep class colours and hatching sharp."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality, subsampling=0)
    return buffer.getvalue()


def _mix(below: np.ndarray, above: np.ndarray, share: float) -> np.ndarray:
    return np.rint((1 - share) * below.astype(np.float32) + share * above).astype(np.uint8)
