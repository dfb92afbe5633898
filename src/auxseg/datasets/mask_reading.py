"""Reading a mask of any form as class indices."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from auxseg.datasets.annotations import draw_coco, draw_label_studio, draw_labelme
from auxseg.datasets.colour_png import read_colour_png
from auxseg.datasets.label_png import Unlisted, check_values, indices_of, look_up
from auxseg.datasets.manifest import ClassTable
from auxseg.datasets.mask_file import read_numbers
from auxseg.datasets.mask_form import BACKGROUND_NAMES, IGNORE_NAMES, MaskForm
from auxseg.datasets.spelling import KnownNames
from auxseg.encoded import IGNORE
from auxseg.errors import DataError

_DRAWERS = {"coco-json": draw_coco.draw, "labelme": draw_labelme.draw, "label-studio": draw_label_studio.draw}


def read_form(path: Path, form: MaskForm, classes: ClassTable, unlisted: Unlisted) -> np.ndarray:
    """Read a mask as class indices, uint8 (H, W): 0 background, 1..C objects, 255 ignore.

    Args:
        path: the file; of a file with many masks `<file>#<key>`.
        form: how it is stored.
        classes: the class table.
        unlisted: what becomes of a class outside the table.

    Raises:
        DataError: the mask is missing or damaged, or shows a class outside the table.
    """
    if form.kind == "values":
        return from_numbers(path, read_numbers(path), form, classes, unlisted)
    index_of = IndexOf(classes, unlisted, str(path))
    if form.kind == "colours":
        colours = {tuple(map(int, colour.split(","))): name for colour, name in form.table}
        return read_colour_png(path, colours, index_of)
    return _DRAWERS[form.kind](path, index_of)


def from_numbers(
    path: Path, numbers: np.ndarray, form: MaskForm, classes: ClassTable, unlisted: Unlisted
) -> np.ndarray:
    """Return what `read_form` returns of a mask of the form `values`, from its stored numbers, integers (H, W).

    Raises:
        UnlistedError: a number is outside the class table, and `unlisted` is `error`.
    """
    if not form.table:
        return indices_of(path, numbers, classes, unlisted)
    index_of = IndexOf(classes, unlisted, str(path))
    return _remapped(path, numbers, {int(value): index_of(name) for value, name in form.table}, unlisted)


@functools.lru_cache(maxsize=1)
def _known(classes: ClassTable) -> KnownNames:
    return KnownNames(classes.names)


@dataclass(frozen=True)
class IndexOf:
    """From a class name to the class index: 0 for the background, 255 for names that mean ignore."""

    classes: ClassTable
    unlisted: Unlisted
    where: str
    advice: str = "fix the annotation, add the class to data.classes, or set data.unlisted to ignore or background"

    def __call__(self, name: str) -> int:
        """Return the index of a name.

        Raises:
            DataError: the name is not in the class table, and `data.unlisted` is `error`.
        """
        if (known := _known(self.classes).find(name)) is not None:
            return self.classes.index(known)
        if name.casefold() in BACKGROUND_NAMES:
            return 0
        if name.casefold() in IGNORE_NAMES:
            return IGNORE
        if self.unlisted == "error":
            raise DataError(
                f"{self.where}: class '{name}' is not in the class table ({', '.join(self.classes.names[:8])}); "
                f"{self.advice}"
            )
        return IGNORE if self.unlisted == "ignore" else 0


def _remapped(path: Path, values: np.ndarray, table: Mapping[int, int], unlisted: Unlisted) -> np.ndarray:
    if unlisted == "error":
        check_values(path, values, [*table, IGNORE], ", ".join(map(str, sorted({*table, IGNORE}))))
    other = IGNORE if unlisted == "ignore" else 0
    lookup = np.full(256, other, np.uint8)
    lookup[IGNORE] = IGNORE
    lookup[list(table)] = list(table.values())
    return look_up(values, lookup, other)
