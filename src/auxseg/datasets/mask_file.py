"""Reading the class numbers of a file with one mask: a PNG, a TIFF or a `.npy`."""

import os
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from auxseg.datasets.npy_header import check_announced, read_npy_header
from auxseg.datasets.tiff_kind import TIFFS, tiff_kind
from auxseg.errors import DataError, first_line
from auxseg.files import open_file
from auxseg.images import UnknownImageError, check_pixels, open_image, pixels_of, require_image
from auxseg.png_files import MASK_FIX, read_index_png, read_palette

ARRAY = ".npy"

_SUBFILE, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _FORMAT = 254, 258, 259, 262, 277, 339
"""Tags of TIFF."""
_LOSSY = frozenset({6, 7, 50001})
"""Values of _COMPRESSION that change pixels: two forms of JPEG, and WebP. Pillow opens no other lossy one."""
_PALETTE, _SIGNED = 3, 2
"""Values of _PHOTOMETRIC and _FORMAT."""
_PAGES = 32
"""Number of pages that are looked at; an image has fewer reduced copies of itself."""
_EXACT = 2**53
"""Up to this, floats are exact whole numbers."""

_TIFF_RULE = "a mask must be a TIFF with a palette, or of class numbers in one band"
_SAVE_TIFF = "save it with 8 or 16 bits"
_ARRAY_RULE = "a mask must be an array of H x W class numbers"
_SAVE_ARRAY = "save the class numbers as uint8 with numpy.save"


def read_numbers(path: Path) -> np.ndarray:
    """Read the class numbers of a mask as they are stored, integers (H, W); uint8 if all are within 0..255.

    .npy            bool, integers or whole floats (H, W) or (H, W, 1); an array of objects is rejected, not unpickled
    .tif, .tiff     palette indices; or bool, integers or whole floats of one band and one page, beside which there may
                    be reduced copies of it
    others          PNG, see `read_index_png`

    Raises:
        DataError: the file is missing, damaged, larger than MAX_PIXELS or in another form, or a number is not whole.
    """
    extension = path.suffix.lower()
    if extension == ARRAY:
        return _whole(path, _read_array(path))
    if extension in TIFFS:
        return _whole(path, _read_tiff(path))
    return read_index_png(path)


def mask_palette(path: Path) -> np.ndarray | None:
    """Return the palette of a mask, uint8 (N, 3), or None if it has none; see `read_palette`."""
    return None if path.suffix.lower() == ARRAY else read_palette(path)


def is_lossy(image: Image.Image) -> bool:
    """Tell whether an opened image is a TIFF whose compression changes its pixels."""
    return isinstance(image, TiffImageFile) and image.tag_v2.get(_COMPRESSION) in _LOSSY


def _whole(path: Path, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "f":
        wrong = ~np.isfinite(values) | (values != np.rint(values))
        if wrong.any():
            row, column = (int(axis[0]) for axis in np.nonzero(wrong))
            raise DataError(
                f"{path}: {values[row, column]:g} in row {row}, column {column} is not a whole class number; save the "
                "mask without smoothing, as integers"
            )
    if values.dtype == bool or (values.min() >= 0 and values.max() <= 255):
        return values.astype(np.uint8)
    if values.dtype.kind == "f":
        values = np.clip(values.astype(np.float64), -_EXACT, _EXACT).astype(np.int64)
    return values


def _read_array(path: Path) -> np.ndarray:
    try:
        stream = open_file(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such mask; put it back, or run `auxseg scan` if it was removed") from None
    with stream:
        try:
            shape, dtype = read_npy_header(stream)
        except Exception as error:  # a damaged header can raise almost anything
            reason = first_line(" ".join(str(error).split()))
            raise DataError(f"{path}: not a readable .npy file ({reason}); {_SAVE_ARRAY}") from None
        if dtype.kind not in "biuf":
            held = "Python objects, which are not read" if dtype.hasobject else f"values of type {dtype}"
            raise DataError(f"{path}: {_ARRAY_RULE}, but this one holds {held}; {_SAVE_ARRAY}")
        if len(shape) != 2 and (len(shape) != 3 or shape[2] != 1):
            raise DataError(f"{path}: {_ARRAY_RULE}, but this one has the shape {shape}; {_SAVE_ARRAY}")
        try:
            check_pixels(shape[0], shape[1])
            check_announced(shape, dtype, os.fstat(stream.fileno()).st_size)
            stream.seek(0)
            values: np.ndarray = np.load(stream, allow_pickle=False)
        except (OSError, ValueError, DataError) as error:
            raise DataError(f"{path}: {error}") from None
    return values.reshape(shape[:2])


def _read_tiff(path: Path) -> np.ndarray:
    require_image(path)
    try:
        image = open_image(path)
    except UnknownImageError:
        kind = tiff_kind(path)  # Pillow does not open all kinds
        if kind is None:
            raise
        if kind.bands > 1:
            raise DataError(f"{path}: {_TIFF_RULE}, but this one is {kind}; {MASK_FIX}") from None
        raise DataError(f"{path}: values of type {kind.dtype} are not read from a TIFF; {_SAVE_TIFF}") from None
    with image:
        return pixels_of(path, partial(_stored, path), image)


def _stored(path: Path, image: Image.Image) -> np.ndarray:
    """Return the stored values of an opened TIFF; of one in which 0 is white too, whose values Pillow inverts.

    Raises:
        DataError: it is no mask.
    """
    if not isinstance(image, TiffImageFile):
        raise DataError(f"{path}: {_TIFF_RULE}, but this one is {image.format} of mode {image.mode}; save it as a TIFF")
    if problem := _problem(image):
        raise DataError(f"{path}: {_TIFF_RULE}, but this one {problem}")
    raw = image.tile[0][3] or ""  # of compressed files a tuple that begins with the mode
    is_inverted = (raw if isinstance(raw, str) else raw[0]) in ("1;I", "L;I")
    is_signed = image.mode == "L" and image.tag_v2.get(_FORMAT) == (_SIGNED,)
    values = np.asarray(image)
    values = ~values if is_inverted else values
    return values.view(np.int8) if is_signed else values


def _problem(image: TiffImageFile) -> str:
    """Return what an opened TIFF is that no mask may be, and how to fix it; '' if nothing."""
    tags = image.tag_v2
    if (bands := tags.get(_SAMPLES, 1)) != 1:
        return f"has {bands} bands; {MASK_FIX}"
    if (bits := tags.get(_BITS, (1,))[0]) in (2, 4) and tags.get(_PHOTOMETRIC) != _PALETTE:
        return f"is grey of {bits} bits; {_SAVE_TIFF}"  # Pillow stretches such values
    if is_lossy(image):
        return "is compressed as a JPEG or WebP, which changes class numbers; save it without loss"
    try:
        for number in range(1, _PAGES):
            image.seek(number)
            if not image.tag_v2.get(_SUBFILE, 0) & 1:
                return "has several pages; save the one with the class numbers alone"
    except EOFError:
        image.seek(0)
    return ""
