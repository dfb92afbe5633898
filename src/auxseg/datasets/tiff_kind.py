"""What the header of a TIFF says of its values: which of them are images, and what the others are called in messages.

TIFF also holds measurements: floats, signed or 32-bit integers, bands that are no colours. Pillow does not open most of
them, and takes some for what they are not: 16-bit planes one after another, or 16 bits in which 0 is white.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from auxseg.counts import counted
from auxseg.errors import DataError
from auxseg.images import require_image

if TYPE_CHECKING:
    import tifffile

TIFFS = (".tif", ".tiff")
"""Extensions, in lower case."""

ORIENTATION, _GEO_KEYS = 274, 34735
"""Tags of TIFF: how the image is turned; the coordinates of a GeoTIFF."""
_SUBFILE_TYPE, _IS_MASK = 254, 4
"""Tag of TIFF that says what a page is, and its bit for the transparency mask of another page."""
_ALPHA = (1, 2)
"""Values of the tag ExtraSamples that mean transparency."""
_KINDS = {"f": "floats", "i": "signed integers", "u": "unsigned integers", "b": "bits", "c": "complex numbers"}
_CHOOSE = "set data.bands to the three that are red, green and blue, as [3, 2, 1]"


@dataclass(frozen=True)
class TiffKind:
    """The first page of a TIFF. `colour`: the tag PhotometricInterpretation as tifffile names it, such as RGB.

    `is_planar`: one band lies behind the other, not the bands of a pixel. `has_alpha`: the band behind the colours is
    said to be transparency.
    """

    bands: int
    dtype: np.dtype
    bits: int
    colour: str
    is_planar: bool = False
    has_alpha: bool = False
    is_geo: bool = False
    has_more_pages: bool = False
    """Whether pages of the same size follow, such as the slices or the channels of a stack; nothing reads them."""

    @property
    def is_inverted(self) -> bool:
        """Whether 0 is white."""
        return self.colour == "MINISWHITE"

    @property
    def is_grey(self) -> bool:
        """Whether the file calls its first band grey, and says nothing of colours."""
        return self.colour in ("MINISBLACK", "MINISWHITE")

    @property
    def needs_own_reader(self) -> bool:
        """Whether Pillow does not open this kind, or misreads it, although its meaning is plain."""
        is_deep = self.bits > 8
        if self.bands == 1:
            return is_deep and self.is_inverted
        return self.is_planar and self.colour == "RGB" and (is_deep or self.bands > 3)

    def __str__(self) -> str:
        """Return the kind as messages show it: `a TIFF with 1 band of 32-bit floats`."""
        planes = ", one behind the other," if self.is_planar and self.bands > 1 else ""
        held = f"{self.bits}-bit {_KINDS.get(self.dtype.kind, 'values')}"
        return f"a TIFF with {counted(self.bands, 'band')}{planes} of {held}"


def tiff_kind(path: Path) -> TiffKind | None:
    """Return the kind of a file with the extension of a TIFF; None for another file or a damaged one.

    Raises:
        DataError: the file is missing.
    """
    if path.suffix.lower() not in TIFFS:
        return None
    import tifffile  # every stage imports this module, and few data sets have TIFFs

    require_image(path)
    try:
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            tags = page.tags
            return TiffKind(
                int(page.samplesperpixel),
                np.dtype(page.dtype),
                int(page.bitspersample),
                tifffile.PHOTOMETRIC(page.photometric).name,
                page.planarconfig == tifffile.PLANARCONFIG.SEPARATE,
                bool(set(map(int, page.extrasamples)) & set(_ALPHA)),
                _GEO_KEYS in tags,
                _has_more_pages(file),
            )
    except Exception:  # a damaged TIFF makes tifffile raise almost anything; Pillow says what is wrong
        return None


def _has_more_pages(file: "tifffile.TiffFile") -> bool:
    from tifffile import TiffPage

    first = file.pages.first
    try:
        if int((file.imagej_metadata or {}).get("images", 1)) > 1:  # ImageJ writes one header for a large stack
            return True
        return any(
            isinstance(page, TiffPage)
            and (page.imagelength, page.imagewidth) == (first.imagelength, first.imagewidth)  # not a reduced copy
            and not int(page.tags.valueof(_SUBFILE_TYPE, 0)) & _IS_MASK
            for page in itertools.islice(file.pages, 1, None)
        )
    except Exception:  # damage after the first page, which alone is read
        return False


def check_image(path: Path, kind: TiffKind, is_chosen: bool) -> None:
    """Check that the values of a TIFF are those of an image.

    Args:
        path: for the message.
        kind: of the file.
        is_chosen: whether `data.bands` says which bands are colours.

    Raises:
        DataError: its values have no defined range, or nothing says which of its bands are colours.
    """
    if kind.dtype.kind not in "ub" or kind.dtype.itemsize > 2:
        raise DataError(
            f"{path}: {kind}, which have no defined range; an image has 8 or 16 bits without sign: scale all files "
            "alike, as with `gdal_translate -ot UInt16 -scale MIN MAX 0 65535`"
        )
    if is_chosen:
        return
    is_transparent = kind.bands == 2 and kind.has_alpha and kind.bits == 8 and not kind.is_planar
    if kind.bands > 1 and kind.is_grey and not is_transparent:
        if kind.bands > 4:
            raise DataError(f"{path}: has {kind.bands} bands; {_CHOOSE}")
        example = "[1, 1, 1] for the first in grey" if kind.bands == 2 else "[1, 2, 3] in this order"
        raise DataError(
            f"{path}: {kind}, of which the file does not say that they are colours; set data.bands to the three that "
            f"are red, green and blue, as {example}"
        )
    if kind.bands > 4 and (kind.bits > 8 or kind.is_planar):
        raise DataError(f"{path}: has {kind.bands} bands; {_CHOOSE}")
