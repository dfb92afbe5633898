"""What the actions of `auxseg corrections` have in common: the formats, and the table that says what was exported."""

import os
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from auxseg.artifacts.atomic import finished, write_bytes, write_json
from auxseg.artifacts.tables import read_csv, write_csv
from auxseg.counts import counted
from auxseg.datasets.annotations import draw_label_studio, draw_labelme
from auxseg.datasets.annotations.annotated import read_annotations
from auxseg.datasets.annotations.cvat import LABELMAP
from auxseg.datasets.annotations.label_studio_file import image_names, read_label_studio_file, task_notes
from auxseg.datasets.annotations.labelme_file import read_labelme_file
from auxseg.datasets.colour_png import read_colour_png, read_colours
from auxseg.datasets.manifest import ClassTable
from auxseg.datasets.mask_reading import IndexOf
from auxseg.encoded import pixels_sha256
from auxseg.errors import DataError, first_line
from auxseg.files import require_file
from auxseg.formats.export import write_format
from auxseg.formats.writer import Item, Options

FORMATS = ("labelme", "cvat", "label-studio")
MASKS, MASKS_ZIP, TASKS = "SegmentationClass", "segmentation_mask.zip", "tasks.json"
"""CVAT's folder of masks, and what the exports for CVAT and Label Studio contain."""
EXPORTED = "exported.csv"
"""Beside the exported labels: what they were, so that the import can tell which of them a person has changed."""
LARGER, FREE = 20, 2**24
"""What is unpacked may have this many times the bytes of its zip, and FREE beside: PNGs hardly become smaller."""
SHOWN = 5
"""Number of images that a message names."""
Labels = dict[str, np.ndarray]
"""Image id -> label, uint8 (H, W) of class indices, 255 = ignore."""
Sizes = Mapping[str, tuple[int, int]]
"""Image id -> height and width."""


@dataclass(frozen=True)
class Exported:
    """A row of EXPORTED; the fields are its columns."""

    image_id: str
    sha256: str
    """`pixels_sha256` of the label, as a reader reads it back from the exported file."""
    corrected: str = ""
    """`yes` if the exported label was a correction, not the pseudo label."""
    imported: str = ""
    """`pixels_sha256` of the correction that was imported from this folder; empty if there is none."""
    round: str = ""
    """The round of the exported label; empty in a table of an earlier version."""


def write_labels(
    folder: Path,
    format_: str,
    labels: Mapping[str, np.ndarray],
    photo: Callable[[str], bytes],
    classes: ClassTable,
    tolerance: float,
    corrected: Collection[str],
    round_: str,
) -> list[str]:
    """Write labels, images and EXPORTED, completely or not at all.

    Args:
        folder: of the export, new or empty.
        format_: one of FORMATS.
        labels: image id -> uint8 (H, W), class indices, 255 = ignore.
        photo: image id -> the upright image as JPEG.
        classes: the class table.
        tolerance: of polygons, pixels.
        corrected: ids of the labels that are corrections.
        round_: of the labels, as `r1`.

    Returns:
        Sentences about what the format could not take.
    """
    names, values = classes.with_background, np.arange(256, dtype=np.uint8)
    sizes: Sizes = {image_id: (label.shape[0], label.shape[1]) for image_id, label in labels.items()}

    def beside(made: Path) -> None:
        rows = [
            Exported(image_id, pixels_sha256(label), "yes" if image_id in corrected else "", round=round_)
            for image_id, label in _read_back(made, format_, classes, sizes).items()
        ]
        write_exported(made, rows)

    with tempfile.TemporaryDirectory() as upright:

        def items() -> Iterator[Item]:
            for image_id, label in labels.items():
                image = f"{image_id}.jpg"
                write_bytes(Path(upright, image), photo(image_id))
                yield Item(image_id, "train", image, label)

        options = Options(names, values, "auxseg", Path(upright), "polygons", tolerance, with_images=True)
        return write_format(format_, folder, items(), options, beside)


def read_labels(path: Path, classes: ClassTable, sizes: Sizes) -> tuple[str, Labels]:
    """Read annotations of any of FORMATS.

    Args:
        path: what the tool saved: one file, or a folder.
        classes: the class table.
        sizes: of the images; an annotation without regions does not say it.

    Returns:
        The format, and the labels by image id.

    Raises:
        DataError: there are none, or one of them is wrong.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file or folder; give what the annotation tool saved")
    if path.is_dir():
        if (path / LABELMAP).exists():
            return "cvat", _read_cvat(path, classes)
        whole = [path / name for name in (MASKS_ZIP, TASKS) if (path / name).exists()]
        if not whole:
            return "labelme", _read_labelme(path, classes, exported_folder(path) or path)
        path = whole[0]
    if path.suffix == ".zip":
        return "cvat", _read_zip(path, classes)
    if path.suffix != ".json":
        raise DataError(f"{path}: not a JSON file, nor a zip of CVAT; give what the annotation tool saved")
    content = read_annotations(path)
    if isinstance(content, list):
        return "label-studio", _read_label_studio(path, content, classes, sizes)
    return "labelme", _read_labelme(path, classes, exported_folder(path) or path.parent)


def exported_folder(path: Path) -> Path | None:
    """Return the nearest folder with EXPORTED: the given one, that of the given file, or one above it."""
    place = Path(os.path.normpath(Path.cwd() / path))  # links stay, because ids are relative to the folder
    return next((folder for folder in (place, *place.parents) if (folder / EXPORTED).is_file()), None)


def read_exported(folder: Path | None) -> dict[str, Exported]:
    """Return image id -> row of EXPORTED; empty if there is none."""
    if folder is None:
        return {}
    rows = [{name: text or "" for name, text in row.items() if name} for row in read_csv(folder / EXPORTED)]
    try:
        return {row["image_id"]: Exported(**row) for row in rows}
    except (KeyError, TypeError):
        raise DataError(f"{folder / EXPORTED}: not the table of an export; export the labels again") from None


def write_exported(folder: Path, rows: Iterable[Exported]) -> None:
    """Write EXPORTED."""
    write_csv(folder / EXPORTED, [field.name for field in fields(Exported)], [astuple(row) for row in rows])


def count_labels(number: int) -> str:
    """Return the number with its noun."""
    return counted(number, "label")


def _index_of(classes: ClassTable, where: str) -> IndexOf:
    # data.unlisted is about other people's annotations; here a strange name is a slip of the reviewer
    return IndexOf(classes, "error", where, "name the shape after a class, background, or ignore")


def _read_labelme(path: Path, classes: ClassTable, base: Path) -> Labels:
    """Read a file, or all files of a folder; the id is the path relative to `base`, without extension."""
    files = finished(path, "**/*.json") if path.is_dir() else [path]
    if not files:
        raise DataError(
            f"{path}: no annotations; give a folder of labelme's JSON files, the export of CVAT (zip, or unpacked with "
            f"{LABELMAP}), or the JSON file of Label Studio"
        )
    labels = {}
    for file in files:
        image_id = Path(os.path.relpath(file, base)).with_suffix("").as_posix()
        image = PureWindowsPath(read_labelme_file(file).image).name  # which knows both kinds of slash
        if PurePosixPath(image).stem != PurePosixPath(image_id).name and image != PurePosixPath(image_id).name:
            raise DataError(
                f"{file}: was drawn on the image '{image}', but has the name of '{image_id}'; give it the name of its "
                "image, or remove it"
            )
        labels[image_id] = draw_labelme.draw(file, _index_of(classes, str(file)))
    return labels


def _read_cvat(folder: Path, classes: ClassTable) -> Labels:
    colours, masks = read_colours(folder / LABELMAP), folder / MASKS
    files = finished(masks, "**/*.png")
    if not files:
        raise DataError(f"{masks}: no masks; export the task from CVAT as 'Segmentation mask 1.1'")
    return {
        file.relative_to(masks).with_suffix("").as_posix(): read_colour_png(
            file, colours, _index_of(classes, str(file))
        )
        for file in files
    }


def _read_zip(path: Path, classes: ClassTable) -> Labels:
    with tempfile.TemporaryDirectory() as unpacked:
        try:
            require_file(path)
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if name == LABELMAP or name.startswith(f"{MASKS}/")]
                size = sum(archive.getinfo(name).file_size for name in names)
                if size > LARGER * path.stat().st_size + FREE:
                    raise DataError(f"{path}: {size} bytes when unpacked, far more than masks need; export it again")
                archive.extractall(unpacked, names)  # which keeps every file inside the folder
        except DataError:
            raise
        except Exception as error:  # zipfile's errors for damaged members have no common base
            raise DataError(f"{path}: not a readable zip ({first_line(error)}); export it again") from None
        if LABELMAP not in names:
            raise DataError(f"{path}: has no {LABELMAP}; export the task from CVAT as 'Segmentation mask 1.1'")
        try:
            return _read_cvat(Path(unpacked), classes)
        except DataError as error:
            raise DataError(str(error).replace(unpacked, str(path))) from None


def _read_label_studio(path: Path, content: list[Any], classes: ClassTable, sizes: Sizes) -> Labels:
    """Read the annotated tasks; predictions are no annotations. A task's id is `image_id`, else its image's name."""
    if content and all(_is_prediction(task) for task in content):
        return {}
    tasks = read_label_studio_file(path)
    data = {str(task["id"]): task.get("data", task) for task in content}
    labels: Labels = {}
    for key, task in tasks.items():
        image_id = str(data[key].get("image_id") or PurePosixPath(image_names(task.image)[-1]).stem)
        if image_id in labels:
            raise DataError(f"{path} task {key}: '{image_id}' appears twice; remove one of the tasks")
        if task.regions or task.pngs:
            labels[image_id] = draw_label_studio.draw(Path(f"{path}#{key}"), _index_of(classes, f"{path} task {key}"))
        elif not task.choices and not task.unnamed:  # somebody removed every region
            labels[image_id] = np.zeros(sizes.get(image_id, (1, 1)), np.uint8)
    return labels


def studio_notes(path: Path) -> tuple[str, ...]:
    """Return sentences about what was not read of an export of Label Studio, or of the folder that has one."""
    tasks = read_label_studio_file(path / TASKS if path.is_dir() else path)
    return task_notes(tasks.values())


def _is_prediction(task: Any) -> bool:
    """Tell whether a task is as it was exported here: to be imported into Label Studio, annotated by nobody."""
    return isinstance(task, dict) and "predictions" in task and not {"annotations", "annotator"} & set(task)


def _read_back(folder: Path, format_: str, classes: ClassTable, sizes: Sizes) -> Labels:
    """Return the labels of a new export, as the import would read them if a person accepted them as they are."""
    if format_ == "labelme":
        return _read_labelme(folder, classes, folder)
    if format_ == "cvat":
        return _read_zip(folder / MASKS_ZIP, classes)
    tasks = [
        {"id": number, "data": task["data"], "annotations": task["predictions"]}
        for number, task in enumerate(read_annotations(folder / TASKS), 1)
    ]
    with tempfile.TemporaryDirectory() as other:
        write_json(Path(other, TASKS), tasks)
        return _read_label_studio(Path(other, TASKS), tasks, classes, sizes)
