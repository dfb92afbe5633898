"""Reading a PNG of mask values as class indices."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from auxseg.datasets.manifest import ClassTable
from auxseg.errors import DataError
from auxseg.images import IGNORE, read_index_png

Unlisted = Literal["error", "ignore", "background"]


def read_label_png(path: Path, classes: ClassTable, unlisted: Unlisted) -> np.ndarray:
    """Read an index PNG of mask values as class indices, uint8 (H, W): 0 background, 1..C objects, 255 ignore.

    `unlisted` decides whether a value outside the class table is an error, 255 (ignore) or 0 (background).

    Raises:
        DataError: the file is missing or damaged, is not an index PNG, or has a value outside the class table.
    """
    values = read_index_png(path)
    if unlisted == "error":
        check_values(path, values, [0, IGNORE, *classes.values], f"0, {_values(classes)}, 255")
    indices: np.ndarray = classes.indices_from_values(IGNORE if unlisted == "ignore" else 0)[values]
    return indices


def check_values(path: Path, values: np.ndarray, known: Sequence[int], shown: str) -> None:
    """Check that a mask has known values only.

    Raises:
        DataError: it has another value; `shown` lists the known ones.
    """
    is_known = np.zeros(256, bool)
    is_known[list(known)] = True
    outside = np.flatnonzero((np.bincount(values.reshape(-1), minlength=256) > 0) & ~is_known)
    if outside.size:
        listed = ", ".join(map(str, outside[:5]))
        raise DataError(
            f"{path}: mask value {listed} is not in the class table ({shown}); fix "
            "the mask, add the class to data.classes, or set data.unlisted to ignore or background"
        )


def _values(classes: ClassTable) -> str:
    shown = [f"{value} {name}" for value, name in zip(classes.values, classes.names, strict=True)]
    return ", ".join(shown if len(shown) <= 8 else [*shown[:3], "…", shown[-1]])
