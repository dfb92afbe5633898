"""Class indices from the mask values of a label or mask; reading a PNG of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from auxseg.datasets.manifest import ClassTable
from auxseg.encoded import IGNORE
from auxseg.errors import DataError, shorten
from auxseg.png_files import read_index_png

_MANY, _FEW = 8, 0.002
"""A mask looks smoothed with more unlisted values than _MANY, of which most have less than this share of the pixels."""

SMOOTHED_FIX = (
    "so many values of a few pixels come from smoothing or JPEG: make the masks again from their source, without "
    "smoothing (nearest neighbour) and without loss"
)
UNLISTED_FIX = "fix the mask, add the class to data.classes, or set data.unlisted to ignore or background"


class UnlistedError(DataError):
    """A mask has a value outside the class table. `finding` is the message without the advice."""

    def __init__(self, finding: str, fix: str = UNLISTED_FIX):
        super().__init__(f"{finding}; {fix}")
        self.finding = finding


Unlisted = Literal["error", "ignore", "background"]


def read_label_png(path: Path, classes: ClassTable, unlisted: Unlisted) -> np.ndarray:
    """Read an index PNG of mask values; see `indices_of`.

    Raises:
        DataError: the file is missing or damaged, is not an index PNG, or has a value outside the class table.
    """
    return indices_of(path, read_index_png(path), classes, unlisted)


def indices_of(path: Path, values: np.ndarray, classes: ClassTable, unlisted: Unlisted) -> np.ndarray:
    """Return mask values, integers (H, W), as class indices, uint8 (H, W): 0 background, 1..C objects, 255 ignore.

    `unlisted` decides whether a value outside the class table is an error, 255 (ignore) or 0 (background).

    Raises:
        DataError: a value is outside the class table; the message names `path`.
    """
    if unlisted == "error":
        check_values(path, values, [0, IGNORE, *classes.values], f"0, {_values(classes)}, 255")
    other = IGNORE if unlisted == "ignore" else 0
    return look_up(values, classes.indices_from_values(other), other)


def look_up(values: np.ndarray, table: np.ndarray, other: int) -> np.ndarray:
    """Return the class index of every mask value, uint8 (H, W).

    Args:
        values: integers (H, W).
        table: uint8 (256,), the index of the values 0..255.
        other: the index of all other values.
    """
    indices: np.ndarray
    if values.dtype == np.uint8:
        indices = table[values]
        return indices
    is_in = (values >= 0) & (values < len(table))
    indices = np.full(values.shape, other, np.uint8)
    indices[is_in] = table[values[is_in].astype(np.uint8)]
    return indices


def looks_smoothed(values: np.ndarray, known: Sequence[int]) -> bool:
    """Tell whether a mask has many values outside `known` with few pixels each, as smoothing and JPEG leave them.

    They lie between the values of classes, at the edges; and some are the value of a class that is not there.
    """
    found, counts = np.unique(values, return_counts=True)
    others = counts[~np.isin(found, known)]
    return len(others) > _MANY and float(np.median(others)) < _FEW * values.size


def check_values(path: Path, values: np.ndarray, known: Sequence[int], shown: str) -> None:
    """Check that a mask has known values only.

    Raises:
        UnlistedError: it has another value; `shown` lists the known ones.
    """
    if values.dtype == np.uint8:
        found = np.flatnonzero(np.bincount(values.reshape(-1), minlength=256))
    else:
        found = np.unique(values)
    outside = found[~np.isin(found, known)]
    if outside.size:
        listed = shorten(map(str, outside), 5)
        values_are = "value" if outside.size == 1 else "values"
        are = "is" if outside.size == 1 else "are"
        finding = f"{path}: mask {values_are} {listed} {are} not in the class table ({shown})"
        raise UnlistedError(finding, SMOOTHED_FIX if looks_smoothed(values, known) else UNLISTED_FIX)


def _values(classes: ClassTable) -> str:
    shown = [f"{value} {name}" for value, name in zip(classes.values, classes.names, strict=True)]
    return ", ".join(shown if len(shown) <= 8 else [*shown[:3], "…", shown[-1]])
