"""Images with more than 8 bits or more than three bands, read as `data.bits` and `data.bands` say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from auxseg.counts import counted
from auxseg.datasets.tiff_kind import ORIENTATION, TIFFS, TiffKind, check_image, tiff_kind
from auxseg.errors import DataError
from auxseg.images import (
    check_pixels,
    is_band,
    on_white,
    open_image,
    orientation_of,
    pixels_of,
    read_rgb,
    require_image,
)
from auxseg.params.data import DataParams

DARK = 3
"""A 16-bit set whose largest value is below 1 / DARK of the range gets a warning: 14 bits end at a quarter."""


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
    """What a file holds beyond one image of 8-bit RGB: the largest value of 16 bits, or None; the number of bands that
    are no colour and no alpha; whether further pages or frames follow, which are not read."""

    largest: int | None = None
    extra_bands: int = 0
    has_more_pages: bool = False


AS_STORED, EIGHT_BITS = Reading(), Depth()


def depth_warnings(depths: Sequence[Depth], reading: Reading) -> Iterator[str]:
    """Yield what the values of a data set say against reading it as `reading` says."""
    deep = [depth.largest for depth in depths if depth.largest is not None]
    largest = max(deep, default=0)
    if reading.bits is None and 0 < largest < 2**16 // DARK:
        bits = max(9, largest.bit_length())
        have = counted(len(deep), "image has", "images have")
        yield (
            f"{have} 16 bits, but the largest value is {largest} of 65535, so they are read as almost black; for "
            f"images of {bits} bits set data.bits: {bits}"
        )
    banded = sum(depth.extra_bands > 0 for depth in depths)
    if reading.bands is None and banded:
        have = counted(banded, "TIFF has", "TIFFs have")
        yield (
            f"{have} a fourth band that is not transparency: bands 1, 2, 3 are read as red, green, blue; "
            "if they are others, set data.bands"
        )
    if stacks := sum(depth.has_more_pages for depth in depths):
        have = counted(stacks, "image has", "images have")
        yield (
            f"{have} several pages or frames (slices, channels), of which only the first is read; save the one that is "
            "meant, or merge channels to RGB"
        )


def read_image(path: Path, reading: Reading) -> np.ndarray:
    """Read an image as RGB, uint8 (H, W, 3), upright, as `read_rgb` does, but with the bits and bands of `reading`.

    The bands are those of TIFFs; other files are read as without.

    Values of 16 bits become rint(255 v / (2**bits - 1)). `bits` does not apply to 8-bit images.

    Raises:
        DataError: as `read_rgb`; or the file has fewer bands, has others than colours and `bands` is None, or a value
            has more bits or no defined range.
    """
    kind = tiff_kind(path)
    chosen = reading.bands if path.suffix.lower() in TIFFS else None
    if kind is not None:
        check_image(path, kind, chosen is not None)
    is_deep = reading.bits is not None and _has_16_bits(path, kind)
    is_own = kind is not None and kind.needs_own_reader
    if chosen is None and not is_deep and not is_own:
        return read_rgb(path)
    values = _values(path)
    bands = chosen or ((1, 2, 3) if values.shape[2] >= 3 else (1, 1, 1))
    if max(bands) > values.shape[2]:
        have = counted(values.shape[2], "band")
        raise DataError(f"{path}: has {have}, but data.bands names band {max(bands)}; correct it")
    if chosen is None and kind is not None and is_own and _is_transparent(values, kind):
        bands = (*bands, 4)
    levels = _levels(path, values[..., [band - 1 for band in bands]], reading, kind is not None and kind.is_inverted)
    return on_white(Image.fromarray(levels)) if levels.shape[2] == 4 else levels


def _levels(path: Path, values: np.ndarray, reading: Reading, is_inverted: bool) -> np.ndarray:
    """Return stored values as uint8, of the same shape."""
    if values.dtype == np.uint8:
        return np.ascontiguousarray(~values if is_inverted else values)
    if values.dtype != np.uint16:
        raise DataError(f"{path}: values of type {values.dtype} have no defined range; save it with 8 or 16 bits")
    top = 2 ** (reading.bits or 16) - 1
    if values.max(initial=0) > top:
        raise DataError(
            f"{path}: has the value {values.max()}, but data.bits: {reading.bits} ends at {top}; correct it"
        )
    scaled: np.ndarray = ((values.astype(np.uint32) * 255 + top // 2) // top).astype(np.uint8)
    return ~scaled if is_inverted else scaled


def _is_transparent(values: np.ndarray, kind: TiffKind) -> bool:
    """Tell whether the fourth band is transparency, by the rule of `images.is_band`."""
    if values.shape[2] != 4 or not kind.has_alpha:
        return False
    return not kind.is_geo or set(np.unique(values[..., 3]).tolist()) <= {0, np.iinfo(values.dtype).max}


def depth_of(path: Path) -> Depth:
    """Return what a file holds beyond 8-bit RGB; an ordinary image is not decoded again.

    Raises:
        DataError: the file is missing or damaged.
    """
    kind = tiff_kind(path)
    if kind is not None:
        is_deep, has_more = kind.bits > 8, kind.has_more_pages
    else:
        with open_image(path) as image:
            is_deep = _is_deep(image)
            has_more = image.format != "MPO" and bool(getattr(image, "is_animated", False))  # MPO: a camera's preview
    return Depth(int(_values(path).max(initial=0)) if is_deep else None, _extra_bands(path, kind), has_more)


def _extra_bands(path: Path, kind: TiffKind | None) -> int:
    if kind is not None and kind.bands > 4:
        return kind.bands - 3
    if kind is None or kind.bands < 4 or kind.colour != "RGB":
        return 0
    if kind.needs_own_reader:
        return int(not _is_transparent(_values(path), kind))
    with open_image(path) as image:
        return int(pixels_of(path, is_band, image) or image.mode == "RGB")


def _has_16_bits(path: Path, kind: TiffKind | None) -> bool:
    if kind is not None:
        return kind.bits > 8
    with open_image(path) as image:
        return _is_deep(image)


def _is_deep(image: ImageFile) -> bool:
    modes = [image.mode, *(str(tile[3]) for tile in image.tile)]
    return any("16" in mode for mode in modes)


def _values(path: Path) -> np.ndarray:
    """Return the stored values, (H, W, bands), upright."""
    import cv2  # every stage imports this module, and few images need it
    import tifffile

    require_image(path)
    try:
        if path.suffix.lower() not in TIFFS:
            values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            if values is None:
                raise ValueError("damaged")
            with open_image(path) as image:
                turn = pixels_of(path, orientation_of, image)
            values = values[..., None] if values.ndim == 2 else values[..., [2, 1, 0, *range(3, values.shape[2])]]
            return _turned(values, turn)
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            check_pixels(page.imagelength, page.imagewidth)
            values = page.asarray()
            if values.ndim == 3 and page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
                values = np.moveaxis(values, 0, 2)
            if values.ndim not in (2, 3):
                raise ValueError(f"{values.ndim} dimensions")
            tag = page.tags.get(ORIENTATION)
            return _turned(values[..., None] if values.ndim == 2 else values, tag.value if tag is not None else 1)
    except MemoryError:
        raise
    except Exception as error:  # a damaged file makes tifffile raise almost anything
        raise DataError(
            f"{path}: not readable ({' '.join(str(error).split())}); save it as TIFF, uncompressed or with deflate"
        ) from None


def _turned(values: np.ndarray, orientation: int) -> np.ndarray:
    """Return stored pixels (H, W, …) upright, as `read_rgb` returns them; see `orientation_of`."""
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    rows, columns = (-1 if orientation in which else 1 for which in ((3, 4, 7, 8), (2, 3, 6, 7)))
    upright: np.ndarray = values[::rows, ::columns]
    return upright
