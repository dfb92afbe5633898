"""CVAT's format "Segmentation mask 1.1": a folder of colour masks with a table of colours.

    labelmap.txt                             name:red,green,blue:parts:actions
    SegmentationClass/<id>.png               a colour per class, black = background
    ImageSets/Segmentation/default.txt       the ids

`ignore` is a class of its own for 255.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from auxseg.artifacts.atomic import atomic_path, finished, write_text
from auxseg.errors import DataError
from auxseg.images import IGNORE, PALETTE, colourise

LABEL_MAP, MASKS, LIST = "labelmap.txt", "SegmentationClass", "ImageSets/Segmentation/default.txt"
BACKGROUND_NAME, IGNORE_NAME = "background", "ignore"


def write_cvat(folder: Path, labels: Mapping[str, np.ndarray], names: Sequence[str]) -> None:
    """Write labels, uint8 (H, W) of class indices by image id, and the table of colours.

    `names` are the class names by index, 0 = background.
    """
    colours = [*enumerate([BACKGROUND_NAME, *names[1:]]), (IGNORE, IGNORE_NAME)]
    rows = [f"{name}:{','.join(map(str, PALETTE[index].tolist()))}::" for index, name in colours]
    write_text(folder / LABEL_MAP, "\n".join(["# label:color_rgb:parts:actions", *rows]) + "\n")
    for image_id, label in labels.items():
        with atomic_path(folder / MASKS / f"{image_id}.png") as temporary:
            Image.fromarray(colourise(label)).save(temporary, "PNG")
    write_text(folder / LIST, "".join(f"{image_id}\n" for image_id in labels))


def read_cvat(folder: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Read the masks below `folder` by image id, uint8 (H, W) of class indices, 255 = ignore.

    Raises:
        DataError: a class or a colour is unknown, or a file is damaged.
    """
    table = _read_label_map(folder / LABEL_MAP, names)
    masks = folder / MASKS
    found = {path.relative_to(masks).with_suffix("").as_posix(): path for path in finished(masks, "**/*.png")}
    if not found:
        raise DataError(f"{masks}: no masks; export the task from CVAT as 'Segmentation mask 1.1' and unpack it")
    return {image_id: _read_mask(path, table) for image_id, path in found.items()}


def _read_label_map(path: Path, names: Sequence[str]) -> dict[int, int]:
    """Return colour, as one number, -> class index."""
    indices = {**{name: index for index, name in enumerate(names)}, BACKGROUND_NAME: 0, IGNORE_NAME: IGNORE}
    table = {0: 0}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{path} line {number}"
        name, *cells = line.rsplit(":", 3)  # a class name may contain a colon
        try:
            red, green, blue = map(int, cells[0].split(","))
        except (IndexError, ValueError):
            raise DataError(f"{where}: not of the form name:red,green,blue::, as CVAT writes it") from None
        if name not in indices:
            known = ", ".join([*names[1:], BACKGROUND_NAME, IGNORE_NAME])
            raise DataError(f"{where}: class '{name}' is not one of {known}; rename it in CVAT")
        table[(red << 16) + (green << 8) + blue] = indices[name]
    return table


def _read_mask(path: Path, table: Mapping[int, int]) -> np.ndarray:
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB")).astype(np.uint32)
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError) as error:
        raise DataError(f"{path}: not a readable PNG ({error}); export it again from CVAT") from None
    colours, inverse = np.unique((pixels @ np.array([1 << 16, 1 << 8, 1], np.uint32)), return_inverse=True)
    strange = [f"#{colour:06x}" for colour in colours.tolist() if colour not in table]
    if strange:
        raise DataError(f"{path}: colour {strange[0]} is not in {LABEL_MAP}; export it again from CVAT")
    values = np.array([table[colour] for colour in colours.tolist()], np.uint8)
    label: np.ndarray = values[inverse].reshape(pixels.shape[:2])
    return label
