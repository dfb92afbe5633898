"""Image-level labels from VOC's Annotations or from the field's pickled `cls_labels.npy`; ids of images.

`auxseg.datasets.csv_tags` reads them from a CSV. `collect` checks what the readers return against the class table.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np

from auxseg.datasets.problems import ROWS, STRICT, Problems
from auxseg.datasets.unpickle import load_object_npy
from auxseg.errors import DataError, quote
from auxseg.files import read_bytes
from auxseg.images import PHOTO_SUFFIXES
from auxseg.parallel import track
from auxseg.params.data import VOC_CLASSES


@dataclass(frozen=True)
class Tags:
    """Labels of one image, none if it shows no object; `where` names the row or file in messages; `split` is None
    without such a column, and so is `group`, which keeps images of one origin in one split."""

    names: tuple[str, ...]
    where: str
    split: str | None = None
    group: str | None = None


def image_id(text: str) -> str:
    """Return the id in a cell: the text without outer spaces and without the extension of an image file."""
    entry = text.strip()
    stem, dot, extension = entry.rpartition(".")
    return stem if dot and stem and f".{extension.lower()}" in PHOTO_SUFFIXES else entry


def listed_id(line: str) -> str:
    """Return the id in a line of a list: `a` for `a`, `a.jpg` and the field's `/JPEGImages/a.jpg /Masks/a.png`."""
    return image_id(PurePosixPath(line.split()[0]).name if "/" in line else line)


def numbered_id(line: str) -> tuple[str, list[int]] | None:
    """Return id and class numbers in a line such as `2007_000032 0 14`, or None if it has another form."""
    entry, *numbers = line.split()
    is_plain = all(number.isdecimal() and len(number) < 10 for number in numbers)
    return (listed_id(entry), [int(number) for number in numbers]) if is_plain else None


def read_xml_tags(folder: Path, ids: Iterable[str], difficult: bool, problems: Problems = STRICT) -> dict[str, Tags]:
    """Read the objects' class names from `<id>.xml` of VOC's Annotations.

    An id without a file has no entry, and neither has one all of whose objects are left out, because it is not a
    negative. `difficult`: include objects that are marked as difficult.

    Raises:
        DataError: a file is not XML, or declares a document type or entities.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; add VOC's Annotations, or set data.labels to csv or npy")
    tags = {}
    for key in track(list(ids), "annotations", unit="file"):
        path = folder / f"{key}.xml"
        with problems.of(ROWS):
            objects = list(_objects(path)) if path.is_file() else None
            if objects is None:
                continue
            names = tuple(dict.fromkeys(name for name, is_difficult in objects if difficult or not is_difficult))
            if names or not objects:
                tags[key] = Tags(names, str(path))
    return tags


def _objects(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield class name and whether it is difficult of every object."""
    for item in _parse_xml(path).findall("object"):
        name = (item.findtext("name") or "").strip()
        if not name:
            raise DataError(f"{path}: an <object> without <name>; add the class name")
        yield name, (item.findtext("difficult") or "0").strip() == "1"


def _parse_xml(path: Path) -> ElementTree.Element:
    # expat itself, because ElementTree's parser expands entities ("billion laughs") and cannot be told not to
    builder, parser = ElementTree.TreeBuilder(), expat.ParserCreate()

    def reject(*_: object) -> None:
        raise DataError(f"{path}: declares a document type or entities, which are not read; remove the declaration")

    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = reject
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(read_bytes(path), True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the last two: an encoding that expat does not know
        raise DataError(f"{path}: not valid XML ({error}); replace the file, or save it as UTF-8") from None
    return builder.close()


def first_value(names_by_value: Mapping[int, str]) -> int:
    """Return the mask value of class number 0: 1, or 0 where this is the value of a class."""
    return 0 if 0 in names_by_value else 1


def read_npy_tags(
    path: Path, names_by_value: dict[int, str], ids: Iterable[str] = (), problems: Problems = STRICT
) -> dict[str, Tags]:
    """Read a pickled dictionary id -> 0/1 vector, such as the field's `cls_labels.npy`.

    A vector of zeros is an image without any object. In vectors of length 20, column k is VOC's class k + 1. In others
    it is the class with mask value k + 1 in `names_by_value`, or k where 0 is the value of a class. Integer ids
    (2007000032, as IRN writes them) become VOC's (2007_000032), or the one of `ids` whose last digits are this number
    (9 is COCO_train2014_000000000009).

    Raises:
        DataError: there is no such dictionary, a vector is not 0/1, or a column has no class.
    """
    table = load_object_npy(path)
    if not isinstance(table, dict):
        raise DataError(f"{path}: not a dictionary id -> label vector; save one, or use a CSV")
    tags = {}
    # longer digits are no number of an image, and Python reads at most 4300
    by_number = {int(match[0]): key for key in ids if (match := re.search(r"(?<!\d)\d{1,40}$", key))}
    for raw, vector in table.items():
        if isinstance(raw, int) and raw.bit_length() < 128:
            voc = f"{str(raw)[:4]}_{str(raw)[4:]}"
            key = voc if len(str(raw)) == len("2007000032") else by_number.get(raw, voc)
        else:
            key = image_id(raw if isinstance(raw, str) else quote(raw))
        where = f"{path} entry '{key}'"
        with problems.of(ROWS):
            tags[key] = Tags(_shown(vector, names_by_value, where), where)
    return tags


def _shown(vector: object, names_by_value: Mapping[int, str], where: str) -> tuple[str, ...]:
    """Return the class names of a 0/1 vector."""
    hot, first = _vector(vector), first_value(names_by_value)
    if hot is None or not np.isin(hot, (0, 1)).all():
        raise DataError(f"{where}: expected a vector of 0 and 1; save the labels again")
    names = dict(enumerate(VOC_CLASSES, first)) if len(hot) == len(VOC_CLASSES) else names_by_value
    columns = [int(column) + first for column in np.flatnonzero(hot)]
    for value in columns:
        if value not in names:
            raise DataError(f"{where}: column {value - first} has no class; give data.classes a class of value {value}")
    return tuple(names[value] for value in columns)


def _vector(value: object) -> np.ndarray | None:
    try:
        array = np.asarray(value).reshape(-1)
    except ValueError:  # lists of different lengths
        return None
    return array if array.dtype.kind in "biuf" else None
