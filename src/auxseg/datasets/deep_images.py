"""Images with more than 8 bits or more than three bands, read as `data.bits` and `data.bands` say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from auxseg.errors import DataError
from auxseg.images import check_pixels, is_band, open_image, pixels_of, read_rgb, require_image
from auxseg.params.data import DataParams

_TIFF = (".tif", ".tiff")
DARK = 3
"""A 16-bit set whose largest value is below this share of the range gets a warning: 14 bits end at a quarter."""


@dataclass(frozen=True)
class Reading:
    """`bits`: those in use of a 16-bit image, or None for all. `bands`: red, green and blue, from 1, or None."""

    bits: int | None = None
    bands: tuple[int, ...] | None = None

    @classmethod
    def of(cls, params: DataParams) -> Self:
        """Return the reading that the parameters ask for."""
        return cls(params.bits, None if params.bands is None else tuple(params.bands))


@dataclass(frozen=True)
class Depth:
    """What a file holds beyond 8-bit RGB: the largest value of 16 bits, or None; the number of bands that are no
    colour and no alpha."""

    largest: int | None = None
    extra_bands: int = 0


AS_STORED, EIGHT_BITS = Reading(), Depth()


def depth_warnings(depths: Sequence[Depth], reading: Reading) -> Iterator[str]:
    """Yield what the values of a data set say against reading it as `reading` says."""
    deep = [depth.largest for depth in depths if depth.largest is not None]
    largest = max(deep, default=0)
    if reading.bits is None and 0 < largest < 2**16 // DARK:
        bits = max(9, largest.bit_length())
        have = "1 image has" if len(deep) == 1 else f"{len(deep)} images have"
        yield (
            f"{have} 16 bits, but the largest value is {largest} of 65535, so they are read as almost black; for "
            f"images of {bits} bits set data.bits: {bits}"
        )
    banded = sum(depth.extra_bands > 0 for depth in depths)
    if reading.bands is None and banded:
        have = "1 TIFF has" if banded == 1 else f"{banded} TIFFs have"
        yield (
            f"{have} a fourth band that is not transparency: bands 1, 2, 3 are read as red, green, blue; "
            "if they are others, set data.bands"
        )


def read_image(path: Path, reading: Reading) -> np.ndarray:
    """Read an image as RGB, uint8 (H, W, 3), as `read_rgb` does, but with the bits and bands of `reading`.

    The bands are those of TIFFs; other files are read as without.

    Values of 16 bits become rint(255 v / (2**bits - 1)). `bits` does not apply to 8-bit images.

    Raises:
        DataError: as `read_rgb`; or the file has fewer bands, has more and `bands` is None, or a value has more bits.
    """
    is_deep = _has_16_bits(path) if reading.bits is not None else False
    chosen = reading.bands if path.suffix.lower() in _TIFF else None
    if chosen is None and not is_deep:
        try:
            return read_rgb(path)
        except DataError:
            if path.suffix.lower() in _TIFF and (count := _bands(path)) > 4:
                raise DataError(
                    f"{path}: has {count} bands; set data.bands to the three that are red, green and blue, as [3, 2, 1]"
                ) from None
            raise
    values = _values(path)
    bands = chosen or ((1, 2, 3) if values.shape[2] >= 3 else (1, 1, 1))
    if max(bands) > values.shape[2]:
        raise DataError(f"{path}: has {values.shape[2]} bands, but data.bands names band {max(bands)}; correct it")
    rgb = values[..., [band - 1 for band in bands]]
    if rgb.dtype == np.uint8:
        return np.ascontiguousarray(rgb)
    if rgb.dtype != np.uint16:
        raise DataError(f"{path}: values of type {rgb.dtype} have no defined range; save it with 8 or 16 bits")
    top = 2 ** (reading.bits or 16) - 1
    if rgb.max(initial=0) > top:
        raise DataError(f"{path}: has the value {rgb.max()}, but data.bits: {reading.bits} ends at {top}; correct it")
    scaled: np.ndarray = ((rgb.astype(np.uint32) * 255 + top // 2) // top).astype(np.uint8)
    return scaled


def depth_of(path: Path) -> Depth:
    """Return what a file holds beyond 8-bit RGB; an ordinary image is not decoded again.

    Raises:
        DataError: the file is missing or damaged.
    """
    extra = 0
    if path.suffix.lower() in _TIFF:
        if (count := _bands(path)) > 4:
            extra = count - 3
        else:
            with open_image(path) as image:
                band = pixels_of(path, is_band, image)
                extra = int(band or (count == 4 and image.mode == "RGB"))
    return Depth(int(_values(path).max(initial=0)) if _has_16_bits(path) else None, extra)


def _has_16_bits(path: Path) -> bool:
    if path.suffix.lower() in _TIFF and _bands(path) > 4:
        return bool(_values(path).dtype == np.uint16)
    with open_image(path) as image:
        modes = [image.mode, *(str(tile[3]) for tile in image.tile)]
    return any("16" in mode for mode in modes)


def _bands(path: Path) -> int:
    import tifffile  # every stage imports this module, and few data sets have TIFFs

    require_image(path)
    try:
        with tifffile.TiffFile(path) as file:
            return int(file.pages.first.samplesperpixel)
    except Exception:  # a damaged TIFF makes tifffile raise almost anything; the other reader says what is wrong
        return 0


def _values(path: Path) -> np.ndarray:
    """Return the stored values, (H, W, bands)."""
    import cv2  # as in `_bands`
    import tifffile

    require_image(path)
    try:
        if path.suffix.lower() not in _TIFF:
            values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            if values is None:
                raise ValueError("damaged")
            return values[..., None] if values.ndim == 2 else values[..., [2, 1, 0, *range(3, values.shape[2])]]
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            check_pixels(page.imagelength, page.imagewidth)
            values = page.asarray()
            if values.ndim == 3 and page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
                values = np.moveaxis(values, 0, 2)
            if values.ndim not in (2, 3):
                raise ValueError(f"{values.ndim} dimensions")
            return values[..., None] if values.ndim == 2 else values
    except MemoryError:
        raise
    except Exception as error:  # as in `_bands`
        raise DataError(
            f"{path}: not readable ({' '.join(str(error).split())}); save it as TIFF, uncompressed or with deflate"
        ) from None
