"""Labels and saliency maps as the pipeline stores them: PNGs in archives.

A label is an 8-bit palette PNG with the 256 VOC colours, whatever the number of classes, because Pillow packs a shorter
palette into 4 bits or less, and 255 comes back as 15 or 3 (docs/method.md section 4, quirk 3).
"""

import hashlib
import io

import numpy as np
from PIL import Image

from auxseg.errors import DataError
from auxseg.images import DAMAGE, open_content

IGNORE = 255
"""The ignore index: a pixel with this label is left out of losses, and counts as a miss in a prediction."""


def voc_palette() -> np.ndarray:
    """Return the colours of PASCAL VOC, uint8 (256, 3): index bit k is bit 7 - k // 3 of channel k % 3."""
    index = np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        palette[:, bit % 3] |= (((index >> bit) & 1) << (7 - bit // 3)).astype(np.uint8)
    return palette


PALETTE = voc_palette()


def pixels_sha256(pixels: np.ndarray) -> str:
    """Return the SHA-256 of the size and pixels of a mask or label, uint8 (H, W), in whatever file they are."""
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def encode_label(label: np.ndarray) -> bytes:
    """Encode a label, integers (H, W) of class indices and 255, as an 8-bit palette PNG with 256 colours.

    Raises:
        ValueError: a value is outside 0..255 or not an integer.
    """
    if label.dtype.kind not in "biu" or label.min(initial=0) < 0 or label.max(initial=0) > 255:
        raise ValueError(f"a label contains integers within 0..255, not {label.dtype} up to {label.max(initial=0)}")
    height, width = label.shape
    image = Image.frombytes("P", (width, height), np.ascontiguousarray(label, np.uint8).tobytes())
    image.putpalette(PALETTE.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", bits=8)
    return buffer.getvalue()


def encode_grey(values: np.ndarray) -> bytes:
    """Encode a saliency map in [0, 1], float (H, W), as an 8-bit grey PNG: rint(255 v).

    Raises:
        ValueError: NaN, which would become an arbitrary grey.
    """
    if np.isnan(values).any():
        raise ValueError("a saliency map contains NaN")
    stored = np.rint(np.clip(values, 0.0, 1.0) * 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(stored).save(buffer, "PNG")
    return buffer.getvalue()


def decode_indices(content: bytes) -> np.ndarray:
    """Decode the output of `encode_label` or `encode_grey`: uint8 (H, W) of stored values.

    Raises:
        DataError: the content is damaged, or larger than MAX_PIXELS.
    """
    with open_content(content) as image:
        try:
            return np.asarray(image)
        except DAMAGE as error:
            raise DataError(f"a PNG in an archive is damaged ({error}); run the stage that writes it again") from None


def decode_grey(content: bytes) -> np.ndarray:
    """Decode the output of `encode_grey` to float32 (H, W) in [0, 1]."""
    return as_share(decode_indices(content))


def as_share(levels: np.ndarray) -> np.ndarray:
    """Return grey levels as float32 in [0, 1]."""
    return levels.astype(np.float32) / 255


def colourise(label: np.ndarray) -> np.ndarray:
    """Return the VOC colours of a label, uint8 (H, W, 3); 255 is (224, 224, 192)."""
    colours: np.ndarray = PALETTE[label]
    return colours
