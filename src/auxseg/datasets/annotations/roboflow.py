"""Roboflow's export of multi-label classification: a folder per split, each with its images and a table.

train/_classes.csv             filename, cat, dog      0 or 1 in the cells; Roboflow writes a space before the names
train/cat1_jpg.rf.0f3c.jpg
valid/_classes.csv             the same columns; `valid` and `test` are val
valid/…

The id of an image is its path without extension, such as `train/cat1_jpg.rf.0f3c`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from auxseg.counts import counted
from auxseg.datasets.annotations.annotated import Annotated, ImageFiles, Item, object_names, photo_folder, split_of
from auxseg.datasets.csv_tags import has_class_columns, read_class_columns
from auxseg.datasets.listing import Folder, mask_folder, require_masks
from auxseg.datasets.mask_form import MaskForm
from auxseg.datasets.problems import ANNOTATIONS, STRICT, Problems
from auxseg.datasets.scan import raw_files
from auxseg.datasets.spelling import fold
from auxseg.datasets.tags import Tags
from auxseg.errors import DataError, shorten
from auxseg.images import PHOTO_SUFFIXES
from auxseg.params.data import DataParams

TABLE = "_classes.csv"
SHOWN = 5
"""Number of columns that a message names."""


def read_roboflow(root: Path, params: DataParams, problems: Problems = STRICT) -> Annotated:
    """Read the table of every folder. Images that no table lists are left out.

    Raises:
        DataError: there is no table, one is damaged, tables differ in their classes, or two images have the same id.
    """
    tables = roboflow_tables(root)
    if not tables:
        raise DataError(f"{root}: no folder has a {TABLE} with filenames and classes; export the data set again")
    require_masks(root, params.folder)
    files, masks = ImageFiles(root, photo_folder(root, params)), mask_folder(root, params)
    items: list[Item] = []
    missing: list[str] = []
    notes: list[str] = []
    classes: dict[Path, tuple[str, ...]] = {}
    for table in tables:
        rows: dict[str, Tags] = {}
        with problems.of(ANNOTATIONS):
            classes[table], rows = read_class_columns(table, problems)
        name = table.parent.name
        photos, before = Folder(root, name, PHOTO_SUFFIXES), len(items)
        for key, row in rows.items():
            with problems.of(ANNOTATIONS):
                path = photos.find(key)
                if path is None:
                    missing.append(f"{name}/{key}")
                    continue
                mask = masks.find(files.id_of(path)) if masks is not None else None
                items.append(Item(path, split_of(name), object_names(row.names), mask, row.where))
        count = len(items) - before
        if count and "test" in re.split("[^a-z]+", name.lower()):
            notes.append(
                f"val includes the {counted(count, 'image')} of {name}; move that folder elsewhere to leave them out"
            )
    problems.reject(ANNOTATIONS, _differences(classes))
    names = tuple(name for columns in list(classes.values())[:1] for name in object_names(columns))
    read = {item.path for item in items}
    without_row = [files.id_of(path) for path in _photos(root, tables) if path not in read]
    return Annotated(names, items, MaskForm(), tuple(missing), tuple(notes), tuple(without_row))


def roboflow_tables(root: Path) -> list[Path]:
    """Return the tables in the folders of a data root, that of train first; none if none has classes as columns.

    The export for semantic segmentation has tables of the same name, with pixel values.
    """
    found = [path for path in root.glob(f"*/{TABLE}") if not path.parent.name.startswith(".")]
    found.sort(key=lambda path: (split_of(path.parent.name) != "train", path))
    return found if any(map(has_class_columns, found)) else []


def _photos(root: Path, tables: Sequence[Path]) -> Iterator[str]:
    """Yield the images in the folders of tables and splits, relative to the data root, in order."""
    folders = {table.parent for table in tables}
    folders |= {path for path in root.iterdir() if path.is_dir() and split_of(path.name)}
    for path in sorted(path for folder in folders for path in raw_files(folder)):
        if path.suffix.lower() in PHOTO_SUFFIXES:
            yield path.relative_to(root).as_posix()


def _differences(classes: Mapping[Path, Sequence[str]]) -> Iterator[str]:
    """Yield a line for each table whose classes are not those of the first one, whatever their order and spelling."""
    tables = list(classes.items())
    for table, names in tables[1:]:
        first, expected = tables[0]
        parts = [f"lacks {lacks}"] if (lacks := _without(expected, names)) else []
        parts += [f"adds {adds}"] if (adds := _without(names, expected)) else []
        if parts:
            yield (
                f"{table}: its classes are not those of {first}: it {' and '.join(parts)}; export all splits at once, "
                "or give the tables the same columns"
            )


def _without(names: Sequence[str], others: Sequence[str]) -> str:
    """Return the names that are not among `others`, as a message shows them."""
    known = set(map(fold, others))
    return shorten((f"'{name}'" for name in names if fold(name) not in known), SHOWN)
