"""Write a folder in one of the formats, completely or not at all."""

from collections.abc import Callable, Iterable
from pathlib import Path

from auxseg.artifacts.atomic import atomic_dir
from auxseg.errors import DataError
from auxseg.formats.coco import CocoWriter
from auxseg.formats.cvat import CvatWriter
from auxseg.formats.label_studio import LabelStudioWriter
from auxseg.formats.labelme import LabelmeWriter
from auxseg.formats.mmseg import MmsegWriter
from auxseg.formats.voc import VocWriter
from auxseg.formats.writer import Item, Options, Writer

FORMATS: dict[str, type[Writer]] = {
    "coco": CocoWriter,
    "cvat": CvatWriter,
    "labelme": LabelmeWriter,
    "label-studio": LabelStudioWriter,
    "mmseg": MmsegWriter,
    "voc": VocWriter,
}
"""Name of a format -> its writer."""


def require_new(folder: Path) -> None:
    """Check that a folder does not exist or is empty, because an export replaces it as a whole.

    Raises:
        DataError: it is not empty, or is a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"--to {folder}: {'is not empty' if folder.is_dir() else 'is a file'}; name a new folder")


def write_format(
    name: str,
    folder: Path,
    items: Iterable[Item],
    options: Options,
    beside: Callable[[Path], None] = lambda folder: None,
) -> list[str]:
    """Write items in the format `name`; they are read one by one.

    Args:
        name: a key of FORMATS.
        folder: new or empty.
        items: the images with their masks.
        options: class table and choices.
        beside: called with the folder after the last item, to add tables.

    Returns:
        Sentences about what the format could not take.

    Raises:
        DataError: the folder is not empty, or an image or a mask is missing.
    """
    require_new(folder)
    with atomic_dir(folder) as made:
        writer = FORMATS[name](made, options)
        for item in items:
            writer.add(item)
        writer.finish()
        beside(made)
    return writer.notes
