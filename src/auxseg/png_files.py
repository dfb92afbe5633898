"""Read masks and maps that users give as PNG."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

from auxseg.errors import DataError
from auxseg.images import DAMAGE, open_image, pixels_of

MASK_RULE = "a mask must be an 8-bit palette or grey PNG of class indices"

MASK_FIX = "save it in that form, or set data.colours if its colours are the classes"


def read_index_png(path: Path) -> np.ndarray:
    """Read a mask as stored values, uint8 (H, W): palette indices, not colours.

    A 1-bit PNG gives 0 and 1. Grey of 2 or 4 bits is rejected, because Pillow stretches it: 1 reads as 85 or 17.

    Raises:
        DataError: the file is missing, damaged, not a PNG, or a colour image.
    """
    return _read_png(path, ("P", "L", "1"), MASK_RULE, MASK_FIX)


def read_palette(path: Path) -> np.ndarray | None:
    """Read the palette of an image, uint8 (N, 3), N <= 256, or None if it has none; no pixel is decoded.

    Raises:
        DataError: the file is missing or damaged.
    """
    with open_image(path) as image:
        palette = pixels_of(path, lambda opened: opened.getpalette() if opened.mode == "P" else None, image)
    return None if palette is None else np.array(palette, np.uint8).reshape(-1, 3)


def read_channel_png(path: Path, channel: str) -> np.ndarray:
    """Read one channel of a PNG as float32 (H, W) in [0, 1]: the stored value / 255.

    Args:
        path: a PNG of 8 bits a channel, grey, RGB or RGBA, with or without a palette.
        channel: `alpha`, `red`, `green`, `blue`, or `luminance` (ITU-R 601-2, as Pillow's mode L).

    Raises:
        DataError: the file is missing, damaged, not a PNG of 8 bits, or has no such channel.
    """
    with open_image(path) as image:
        if image.format != "PNG" or image.mode not in ("L", "LA", "P", "RGB", "RGBA"):
            raise DataError(f"{path}: a map must be a PNG of 8 bits, but this one is {image.format} of {image.mode}")
        if channel == "alpha" and not pixels_of(path, lambda opened: opened.has_transparency_data, image):
            raise DataError(f"{path}: has no alpha channel; set saliency.channel to the channel with the map")

        def convert(opened: Image.Image) -> np.ndarray:
            if channel == "luminance":
                return np.asarray(opened.convert("RGB").convert("L"))
            return np.asarray(opened.convert("RGBA").getchannel(channel[0].upper()))

        return pixels_of(path, convert, image).astype(np.float32) / 255


def read_grey_png(path: Path) -> np.ndarray:
    """Read an 8-bit grey map as float32 (H, W) in [0, 1]: the stored value / 255.

    Only 8-bit grey is accepted: palette indices and the 0 and 1 of a 1-bit PNG are not intensities, and rounding 16
    bits would silently lose precision.

    Raises:
        DataError: the file is missing, damaged, or another kind of image.
    """
    return _read_png(path, ("L",), "a map must be an 8-bit grey PNG, 255 = 1").astype(np.float32) / 255


def _read_png(path: Path, modes: tuple[str, ...], rule: str, fix: str = "save it in that form") -> np.ndarray:
    with open_image(path) as image:
        stretched = image.mode == "L" and image.tile and image.tile[0][3] in ("L;2", "L;4")
        if image.format != "PNG" or image.mode not in modes or stretched:
            kind = "grey of less than 8 bits" if stretched else f"{image.format} of mode {image.mode}"
            raise DataError(f"{path}: {rule}, but this one is {kind}; {_better_fix(image, rule == MASK_RULE) or fix}")
        try:
            return np.asarray(image).astype(np.uint8)
        except DAMAGE as error:
            raise DataError(f"{path}: truncated or damaged PNG ({error}); replace the file") from None


def _better_fix(image: ImageFile.ImageFile, is_mask: bool) -> str:
    """Return what to do about an image that is nearly a mask or map, or ''."""
    if image.format == "JPEG":
        return "a JPEG changes values: make it again from its source, without loss"
    if image.mode.startswith("I") and is_mask:
        return "save it in that form, or as TIFF, which may have 16 bits"
    if image.mode not in ("LA", "RGB", "RGBA"):
        return ""
    try:
        channels = np.asarray(image.convert("RGBA"))
    except DAMAGE:
        return ""
    if (channels[..., :1] != channels[..., 1:3]).any():
        return ""
    if (channels[..., :3] == channels[0, 0, :3]).all() and (channels[..., 3] != channels[0, 0, 3]).any():
        return "only its alpha channel varies: save that channel as 8-bit grey"
    colours = ", or set data.colours if its colours are the classes" if is_mask else ""
    return f"its colours are grey: save one channel of it as 8-bit grey{colours}"
