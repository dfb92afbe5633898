"""Photographs in, label and saliency PNGs in and out.

A label is an 8-bit palette PNG with the 256 VOC colours, whatever the number of classes: Pillow packs a shorter
palette into 4 bits or less and 255 comes back as 15 or 3 (METHOD section 4, quirk 3).
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from auxseg.errors import DataError

IGNORE = 255
"""The ignore index: a pixel with this label takes no part in a loss, and counts as a miss in a prediction."""

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


def voc_palette() -> np.ndarray:
    """Return the 256 colours of PASCAL VOC, uint8 (256, 3): bit k of an index goes to bit 7 - k // 3 of channel k % 3."""
    index = np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        palette[:, bit % 3] |= (((index >> bit) & 1) << (7 - bit // 3)).astype(np.uint8)
    return palette


PALETTE = voc_palette()


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such image; add the file or take its row out of the list") from None
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a readable image ({error}); replace the file or take it out of the list") from None


def read_rgb(path: Path) -> np.ndarray:
    """Read any photograph as RGB, uint8 (H, W, 3), 0..255, upright.

    EXIF rotation is applied. Grey (8 and 16 bit), CMYK and palette images are converted; a 16-bit image is scaled,
    not clipped; transparency is laid over white, as viewers show it.

    Raises:
        DataError: the file is missing, truncated or no image.
    """
    with _open(path) as image:
        try:
            return _to_rgb(ImageOps.exif_transpose(image))
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(
                f"{path}: truncated or damaged image ({error}); replace the file or take it out of the list"
            ) from None


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        deep = np.asarray(image).astype(np.float64)
        grey = np.clip(np.rint(deep / 257 if deep.max(initial=0) > 255 else deep), 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.asarray(image.convert("RGB"))


def read_index_png(path: Path) -> np.ndarray:
    """Read a mask or an 8-bit grey map as stored indices, uint8 (H, W): palette indices, never palette colours.

    Raises:
        DataError: the file is missing or damaged, or is a colour image.
    """
    with _open(path) as image:
        if image.mode not in ("P", "L", "1"):
            raise DataError(
                f"{path}: a mask must be an 8-bit palette or grey PNG, this one has mode {image.mode}; save the indices"
            )
        try:
            values = np.asarray(image)
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(f"{path}: truncated or damaged PNG ({error}); replace the file") from None
    return values.astype(np.uint8)


def encode_label(label: np.ndarray) -> bytes:
    """Encode a label, uint8 (H, W) of class indices and 255, as an 8-bit palette PNG with 256 colours."""
    height, width = label.shape
    image = Image.frombytes("P", (width, height), np.ascontiguousarray(label, np.uint8).tobytes())
    image.putpalette(PALETTE.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", bits=8)
    return buffer.getvalue()


def encode_grey(values: np.ndarray) -> bytes:
    """Encode a saliency map in [0, 1], float (H, W), as an 8-bit grey PNG: rint(255 v)."""
    stored = np.rint(np.clip(values, 0.0, 1.0) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(stored).save(buffer, "PNG")
    return buffer.getvalue()


def decode_indices(content: bytes) -> np.ndarray:
    """Decode what `encode_label` or `encode_grey` made: uint8 (H, W) of stored values."""
    return np.asarray(Image.open(io.BytesIO(content)))


def decode_grey(content: bytes) -> np.ndarray:
    """Decode what `encode_grey` made to float32 (H, W) in [0, 1]."""
    return decode_indices(content).astype(np.float32) / 255


def colourise(label: np.ndarray) -> np.ndarray:
    """Return the VOC colours of a label, uint8 (H, W, 3); 255 is (224, 224, 192)."""
    return PALETTE[label]
