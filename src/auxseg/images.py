"""Open images of any kind, with limits, and read them as RGB."""

import importlib
import importlib.util
import io
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from auxseg.errors import DataError
from auxseg.files import open_file, require_file

T = TypeVar("T")

_EXTRA_SAMPLES, _GEO_KEYS = 338, 34735
"""Tags of TIFF: what channels beyond the colours are; the coordinates of a GeoTIFF."""

HEIC_SUFFIXES = (".heic", ".heif") if importlib.util.find_spec("pillow_heif") else ()
"""Apple's format, which Pillow reads only where the package pillow-heif is installed."""

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", *HEIC_SUFFIXES)

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM")
"""What a file may contain, whatever its name: Pillow would try all it knows, and hand EPS to Ghostscript, which runs
it. JPEG includes MPO; GIF is what some pages call .jpg."""

MAX_PIXELS = 2**27
"""An image of more pixels is rejected before it is decoded, because a header of a kilobyte can announce gigabytes. It
is 134 megapixels, so that phones' 108 pass; labels of one that large take more than 20 GB."""

# `_opened` has a limit of its own, so Pillow need not warn of half of it
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    RuntimeError,
    EOFError,
    struct.error,
    zlib.error,
)
"""What Pillow raises for damaged files; there is no common base class."""


class UnknownImageError(DataError):
    """A file is not an image that Pillow opens: damaged, or of a kind that it does not know."""


class _NoRangeError(Exception):
    """An intact image whose values have no defined mapping to 0..255."""


_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> the operation that makes the image upright."""


def open_image(path: Path) -> ImageFile.ImageFile:
    """Open an image file; its pixels are not decoded yet.

    Raises:
        DataError: the file is missing, not an image of FORMATS, or larger than MAX_PIXELS.
    """
    require_image(path)
    heic = bool(HEIC_SUFFIXES) and path.suffix.lower() in HEIC_SUFFIXES
    if heic:
        importlib.import_module("pillow_heif").register_heif_opener()
    return _opened(path, str(path), (*FORMATS, "HEIF") if heic else FORMATS)


def require_image(path: Path) -> None:
    """Check that an image file is there, before a library opens it.

    Raises:
        DataError: it is missing, or not a regular file.
    """
    try:
        require_file(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such image; add the file or remove its row from the list") from None


def open_content(content: bytes, name: str = "an image in an archive") -> ImageFile.ImageFile:
    """Open the content of an image file; its pixels are not decoded yet.

    Raises:
        DataError: as `open_image`; the message begins with `name`.
    """
    return _opened(io.BytesIO(content), name, FORMATS)


def _kind(source: Path | io.BytesIO) -> str:
    """Return what a file is that is no image."""
    with open_file(source) if isinstance(source, Path) else io.BytesIO(source.getvalue()) as stream:
        start = stream.read(64)
    if not start:
        return "an empty file"
    return "a text" if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in start) else "another kind of file"


def _opened(source: Path | io.BytesIO, name: str, formats: tuple[str, ...]) -> ImageFile.ImageFile:
    """Open an image. This is the only call of Pillow's function."""
    try:
        image = Image.open(source, formats=formats)
    except UnidentifiedImageError:
        raise UnknownImageError(
            f"{name}: not a readable image ({', '.join(formats)}), but {_kind(source)}; replace the file or remove it "
            "from the data"
        ) from None
    except Image.DecompressionBombError:
        raise DataError(f"{name}: more than {MAX_PIXELS // 10**6} megapixels; {_SMALLER}") from None
    except DAMAGE as error:
        raise UnknownImageError(
            f"{name}: not a readable image ({error}); replace the file or remove it from the data"
        ) from None
    try:
        check_pixels(image.height, image.width)
    except ValueError as error:
        image.close()
        raise DataError(f"{name}: {error}") from None
    if isinstance(image, TiffImageFile) and image.tag_v2.get(ExifTags.Base.Orientation) in (5, 6, 7, 8):
        # Pillow 12 maps an uncompressed file into memory with the sides of the turned image; not if it has no name
        image.filename = ""
    return image


_SMALLER = "cut it into tiles or save it smaller"


def check_pixels(height: int, width: int) -> None:
    """Check a size that a file announces, before an array of this size is made.

    Raises:
        ValueError: it is empty, or has more than MAX_PIXELS.
    """
    if height < 1 or width < 1:
        raise ValueError("the image has no pixels; save it again")
    if height * width > MAX_PIXELS:
        most = f"more than {MAX_PIXELS // 10**6} megapixels"
        size = f"{width} x {height} pixels" if max(height, width) < 10**9 else "a side of more than 10^9 pixels"
        raise ValueError(f"{size}, {most}; {_SMALLER}")


def read_rgb(path: Path) -> np.ndarray:
    """Read any image as RGB, uint8 (H, W, 3), 0..255, upright.

    EXIF rotation is applied. Grey, CMYK and palette images are converted. 16-bit grey becomes rint(v / 257); for 16-bit
    colour Pillow decodes the high bytes, which differ from that by at most one level. Transparent pixels are blended
    with white, as in image viewers. Colour profiles are not applied, as is usual in the field.

    Raises:
        DataError: the file is missing, truncated or not an image, or has 32-bit values without a defined range.
    """
    with open_image(path) as image:
        try:
            image.load()
            return _to_rgb(_upright(image), image.format)
        except _NoRangeError as error:
            raise DataError(f"{path}: {error}") from None
        except DAMAGE as error:
            raise DataError(
                f"{path}: truncated or damaged image ({error}); replace the file or remove it from the data"
            ) from None


def _upright(image: Image.Image) -> Image.Image:
    turn = _UPRIGHT.get(orientation_of(image))
    return image if turn is None else image.transpose(turn)


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation of a decoded image, 1 (upright) to 8; 1 where there is none."""
    # Not ImageOps.exif_transpose, which rewrites the EXIF block and fails on blocks that viewers tolerate.
    # After load(), because a PNG may have EXIF at its end, and Pillow rotates a TIFF while it loads.
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except DAMAGE:
        return 1
    return orientation if isinstance(orientation, int) and orientation in _UPRIGHT else 1


def _to_rgb(image: Image.Image, file_format: str | None) -> np.ndarray:
    if image.mode == "F":
        raise _NoRangeError("floating-point pixels have no defined range; save it with 8 or 16 bits")
    if image.mode == "I" or image.mode.startswith("I;16"):
        deep = np.asarray(image).astype(np.int64)
        # mode I is either a 16-bit PGM or PNG, which Pillow opens with 32 bits, or a file with 32 bits
        has_32_bits = image.mode == "I" and file_format not in ("PPM", "PNG")
        if has_32_bits or deep.min(initial=0) < 0 or deep.max(initial=0) > 65535:
            raise _NoRangeError("32-bit pixels have no defined range; save it with 8 or 16 bits")
        grey = ((deep + 128) // 257).astype(np.uint8)  # rint(v / 257) in integers; no ties, because 257 is odd
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode in ("La", "RGBa"):  # premultiplied alpha
        image = image.convert(image.mode.upper())
    if is_band(image):
        return np.asarray(image.convert("RGB"))
    if image.has_transparency_data:
        return on_white(image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))


def on_white(image: Image.Image) -> np.ndarray:
    """Return an RGBA image blended with white, uint8 (H, W, 3)."""
    return np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"))


def is_band(image: Image.Image) -> bool:
    """Tell whether the fourth channel of a TIFF is a band of its own, such as near infrared, and not transparency.

    It is transparency if the tag ExtraSamples says so; of a GeoTIFF only if it is also either 0 or 255 everywhere,
    because GDAL writes that tag for any fourth band of 8 bits.
    """
    if not isinstance(image, TiffImageFile) or image.mode not in ("RGBA", "RGBX"):
        return False
    tags = image.tag_v2
    if not set(tags.get(_EXTRA_SAMPLES) or ()) & {1, 2}:
        return True
    is_mask = image.mode == "RGBA" and set(np.unique(np.asarray(image.getchannel("A"))).tolist()) <= {0, 255}
    return _GEO_KEYS in tags and not is_mask


def pixels_of(path: Path, convert: Callable[[Image.Image], T], image: Image.Image) -> T:
    """Return what `convert` makes of an opened image; Pillow decodes it for its palette or transparency too.

    Raises:
        DataError: the pixels cannot be decoded.
    """
    try:
        return convert(image)
    except DAMAGE as error:
        raise DataError(f"{path}: truncated or damaged image ({error}); replace the file") from None
