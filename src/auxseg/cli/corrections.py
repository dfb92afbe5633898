"""What the actions of `auxseg corrections` have in common: the formats, and the table that says what was exported."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from auxseg.artifacts.atomic import finished, write_json
from auxseg.artifacts.tables import read_csv, write_csv
from auxseg.errors import DataError
from auxseg.review.cvat import LABEL_MAP, read_cvat, write_cvat
from auxseg.review.label_studio import read_label_studio, write_label_studio
from auxseg.review.labelme import labelme_content, read_labelme

IMAGES = {"labelme": "", "cvat": "JPEGImages", "label-studio": "images"}
"""Format -> folder of the images, relative to that of the export."""
TASKS = "tasks.json"
"""The file for Label Studio."""
EXPORTED = "exported.csv"
"""Beside the exported labels: what they were, so that the import can tell which of them a person has changed."""


def image_file(format_: str, image_id: str) -> str:
    """Return the path of an exported image, relative to the folder of the export."""
    return f"{IMAGES[format_]}/{image_id}.jpg".lstrip("/")


def write_labels(
    folder: Path, format_: str, labels: Mapping[str, np.ndarray], names: Sequence[str], tolerance: float
) -> None:
    """Write labels in a format, and EXPORTED.

    Args:
        folder: of the export.
        format_: a key of IMAGES.
        labels: image id -> uint8 (H, W), class indices, 255 = ignore.
        names: class names by index, 0 = background.
        tolerance: of polygons, as for `auxseg.review.regions.find_regions`.
    """
    if format_ == "cvat":
        write_cvat(folder, labels, names)
    elif format_ == "label-studio":
        images = {image_id: image_file(format_, image_id) for image_id in labels}
        write_label_studio(folder / TASKS, labels, images, names, tolerance)
    else:
        for image_id, label in labels.items():
            image = image_file(format_, image_id).rpartition("/")[2]
            write_json(folder / f"{image_id}.json", labelme_content(label, names, image, tolerance))
    _, written = read_labels(folder, names)
    write_csv(folder / EXPORTED, ["image_id", "sha256"], [[key, digest(label)] for key, label in written.items()])


def read_labels(path: Path, names: Sequence[str]) -> tuple[str, dict[str, np.ndarray]]:
    """Read annotations of any of the formats.

    Args:
        path: what the tool saved: one file, or a folder.
        names: class names by index, 0 = background.

    Returns:
        The format, and the labels by image id, uint8 (H, W) of class indices, 255 = ignore.

    Raises:
        DataError: there are none, or one of them is wrong.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; give what the annotation tool saved")
    if path.is_dir() and (path / LABEL_MAP).exists():
        return "cvat", read_cvat(path, names)
    if path.is_dir() and (path / TASKS).exists():
        path = path / TASKS
    if path.is_dir():
        files = finished(path, "**/*.json")
        if not files:
            raise DataError(
                f"{path}: no annotations; give a folder of labelme's JSON files, an unpacked export of CVAT with "
                f"{LABEL_MAP}, or the JSON file of Label Studio"
            )
        return "labelme", {
            file.relative_to(path).with_suffix("").as_posix(): read_labelme(file, names) for file in files
        }
    if path.suffix != ".json":
        raise DataError(f"{path}: not a JSON file; unpack an archive of CVAT and give the folder")
    if _is_list(path):
        return "label-studio", read_label_studio(path, names)
    return "labelme", {path.stem: read_labelme(path, names)}


def read_exported(path: Path) -> dict[str, str]:
    """Return image id -> digest of the label that was exported to this folder or beside this file; may be empty."""
    table = (path if path.is_dir() else path.parent) / EXPORTED
    return {row["image_id"]: row["sha256"] for row in read_csv(table)} if table.exists() else {}


def digest(label: np.ndarray) -> str:
    """Return a SHA-256 of the size and pixels of a label, uint8 (H, W)."""
    return hashlib.sha256(repr(label.shape).encode() + np.ascontiguousarray(label).tobytes()).hexdigest()


def shorten(names: Iterable[str], most: int = 5) -> str:
    """Return names as text, at most `most` of them."""
    listed = list(names)
    return ", ".join([*listed[:most], *(["…"] if len(listed) > most else [])])


def _is_list(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), list)
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error}); export it again") from None
