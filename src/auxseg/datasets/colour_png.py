"""Masks in colours: PNGs or TIFFs whose colours, RGB or of a palette, mean classes; the files that list the colours."""

import csv
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from auxseg.artifacts.tables import reject_repeated
from auxseg.datasets.csv_header import DELIMITERS
from auxseg.datasets.mask_file import ARRAY, is_lossy
from auxseg.errors import DataError
from auxseg.files import read_text
from auxseg.images import open_image, pixels_of

Colour = tuple[int, ...]
"""Red, green and blue, 0..255."""


def read_colour_png(path: Path, colours: Mapping[Colour, str], index_of: Callable[[str], int]) -> np.ndarray:
    """Read a mask in colours as class indices, uint8 (H, W).

    Args:
        path: a PNG or TIFF in RGB, RGBA, grey or with a palette; only its colours count.
        colours: colour -> class name.
        index_of: class name -> class index; (0, 0, 0) without a name is the background.

    Raises:
        DataError: the file is missing or damaged, changes colours as a JPEG does, or has a colour that no class has.
    """
    packed, found = packed_colours(path)
    names = {(0, 0, 0): "background", **colours}
    indices = np.zeros(len(found), np.uint8)
    for position, colour in enumerate(found):
        if colour not in names:
            near = min(names, key=lambda other: sum(abs(a - b) for a, b in zip(other, colour, strict=True)))
            raise DataError(
                f"{path}: colour {','.join(map(str, colour))} has no class (the nearest is {','.join(map(str, near))}, "
                f"{names[near]}); add it to the file of colours, or save the mask without smoothing"
            )
        indices[position] = index_of(names[colour])
    mask: np.ndarray = indices[packed]
    return mask


def packed_colours(path: Path) -> tuple[np.ndarray, list[Colour]]:
    """Return for each pixel the position of its colour, (H, W), and the colours of a mask, sorted.

    Raises:
        DataError: the file is missing, damaged, or neither a PNG nor a TIFF without loss.
    """
    if path.suffix.lower() == ARRAY:
        raise DataError(f"{path}: an array has no colours, but data.colours is set; save a PNG, or unset that key")
    with open_image(path) as image:
        if image.format not in ("PNG", "TIFF") or is_lossy(image):
            kind = "compressed with loss" if image.format == "TIFF" else image.format
            raise DataError(f"{path}: a mask must be a PNG or TIFF, but this one is {kind}; save it without loss")
        rgb = pixels_of(path, _rgb, image).astype(np.uint32)
    numbers = rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]
    found, positions = np.unique(numbers, return_inverse=True)
    return positions.reshape(numbers.shape), [(int(n) >> 16, int(n) >> 8 & 255, int(n) & 255) for n in found]


def _rgb(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


def read_colours(path: Path) -> dict[Colour, str]:
    """Read the colour of each class: CVAT's `labelmap.txt` (`cat:10,0,10::`), or a CSV.

    The CSV has the columns `name,r,g,b` (CamVid's class_dict.csv) or `name` and `colour` as `#rrggbb` (the classes.csv
    that auxseg exports).

    Raises:
        DataError: the file is missing or in neither form, or two classes have the same colour.
    """
    try:
        lines = read_text(path).splitlines()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; add it, or correct data.colours") from None
    is_labelmap = any(re.match(r"[^:,]+:\d+,\d+,\d+:", line) for line in lines)
    colours: dict[Colour, str] = {}
    try:
        rows = _labelmap(path, lines) if is_labelmap else _table(path, lines)
    except csv.Error as error:
        raise DataError(f"{path}: not CSV ({error}); write `name,r,g,b` lines below that header") from None
    for number, name, colour in rows:
        if max(colour) > 255:
            raise DataError(f"{path} line {number}: colour {colour} of '{name}' is not within 0..255; correct it")
        if colours.setdefault(colour, name) != name:
            raise DataError(f"{path} line {number}: '{name}' has the colour of '{colours[colour]}'; give it its own")
    if not colours:
        raise DataError(f"{path}: lists no colour; write `name,r,g,b` lines below that header")
    return colours


def _labelmap(path: Path, lines: list[str]) -> list[tuple[int, str, Colour]]:
    rows: list[tuple[int, str, Colour]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"(.+?):(\d+),(\d+),(\d+):[^:]*:[^:]*", line.strip())
        if match is None:
            raise DataError(f"{path} line {number}: '{line.strip()}' is not `name:r,g,b::`; export the file again")
        rows.append((number, match[1], (int(match[2]), int(match[3]), int(match[4]))))
    return rows


def _table(path: Path, lines: list[str]) -> list[tuple[int, str, Colour]]:
    rows: list[tuple[int, str, Colour]] = []
    separator = max(DELIMITERS, key=lines[0].count) if lines else ","  # a comma, if there is none
    reader = csv.DictReader(lines, skipinitialspace=True, delimiter=separator)
    reject_repeated([name.lower() for name in reader.fieldnames or ()], f"{path} line 1")
    for number, row in enumerate(reader, 2):
        plain = {str(key).strip().lower(): str(value).strip() for key, value in row.items()}
        name = plain.get("name") or plain.get("class") or plain.get("label")
        shown = plain.get("colour") or plain.get("color") or ""
        colour: Colour
        try:
            colour = (
                tuple(bytes.fromhex(shown.lstrip("#")))
                if shown
                else tuple(int(plain[part]) for part in ("r", "g", "b"))
            )
        except (KeyError, ValueError):
            colour = ()
        if not name or len(colour) != 3:
            raise DataError(f"{path} line {number}: expected columns name,r,g,b or name,colour (#rrggbb); correct it")
        rows.append((number, name, colour))
    return rows
