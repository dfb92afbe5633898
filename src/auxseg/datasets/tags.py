"""Image-level labels: from a CSV, from VOC's Annotations, or from the field's pickled `cls_labels.npy`.

Every reader returns names as they stand in the source; `collect` holds them against the class table.
"""

import csv
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np

from auxseg.datasets.unpickle import load_object_npy
from auxseg.errors import DataError
from auxseg.images import PHOTO_SUFFIXES
from auxseg.parallel import track
from auxseg.params.data import VOC_CLASSES


@dataclass(frozen=True)
class Tags:
    """Labels of one image; `where` names the row or file, for messages; `split` is None if no column says."""

    names: tuple[str, ...]
    where: str
    split: str | None = None


def image_id(text: str) -> str:
    """Return the id in a cell: the text without outer spaces and without the ending of a photograph."""
    entry = text.strip()
    stem, dot, ending = entry.rpartition(".")
    return stem if dot and stem and f".{ending.lower()}" in PHOTO_SUFFIXES else entry


def listed_id(line: str) -> str:
    """Return the id in a line of a list: `a` of `a`, `a.jpg` and the field's `/JPEGImages/a.jpg /Masks/a.png`."""
    return image_id(PurePosixPath(line.split()[0]).name if "/" in line else line)


def read_csv_tags(path: Path, known: Collection[str] | None) -> dict[str, Tags]:
    """Read a CSV `image_id,labels[,split]`.

    Labels are class names separated by ';' or by white space. If any cell of the file holds a ';', or a whole
    cell is a known name, names may hold spaces. `known` None: any name.

    Raises:
        DataError: file, row and mend of the first missing column, empty or repeated id.
    """
    rows = list(_csv_rows(path))
    semicolons = any(";" in row["labels"] for _, row in rows)
    tags: dict[str, Tags] = {}
    for line, row in rows:
        key, where = image_id(row["image_id"]), f"{path} line {line}"
        if not key:
            raise DataError(f"{where}: no image_id; write the photo's name without its ending")
        if key in tags:
            raise DataError(f"{where}: id '{key}' is listed twice (also in {_line(tags[key].where)}); remove one row")
        split = row.get("split")
        tags[key] = Tags(
            _split_names(row["labels"], known, semicolons), where, None if split is None else split.strip()
        )
    return tags


def _line(where: str) -> str:
    return where[where.rindex("line ") :]


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, strict=True)
            # ` Split` is `split`: else its images would be dealt to train and val anew
            reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
            if twice := [name for name in reader.fieldnames if reader.fieldnames.count(name) > 1]:
                raise DataError(f"{path} line 1: column '{twice[0]}' stands twice; remove one")
            for column in ("image_id", "labels"):
                if column not in reader.fieldnames:
                    raise DataError(
                        f"{path} line 1: no column '{column}'; the header must read image_id,labels[,split]"
                    )
            for row in reader:
                if None in row or None in row.values():
                    more = "more" if None in row else "fewer"
                    raise DataError(
                        f"{path} line {reader.line_num}: {more} cells than the header; separate labels by a "
                        "space or ';', not by a comma"
                    )
                yield reader.line_num, row
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; add it, or set data.labels_file") from None
    except csv.Error as error:
        raise DataError(f"{path} line {reader.reader.line_num}: no CSV ({error}); mend its quotes") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a UTF-8 CSV ({error}); save it again as UTF-8") from None


def _split_names(cell: str, known: Collection[str] | None, semicolons: bool) -> tuple[str, ...]:
    names: list[str] = []
    for part in (part.strip() for part in cell.split(";")):
        words = part.split()
        if known is not None and (part in known or all(word in known for word in words)):
            names += [part] if part in known else words
        elif part:
            names += [part] if semicolons else words
    return tuple(dict.fromkeys(names))


def read_xml_tags(folder: Path, ids: Iterable[str], difficult: bool) -> dict[str, Tags]:
    """Read the objects' class names from `<id>.xml` of VOC's Annotations; an id without a file has no entry.

    `difficult`: count objects that are marked so.

    Raises:
        DataError: a file that is no XML, or that declares a document type or entities.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; add VOC's Annotations, or set data.labels to csv or npy")
    tags = {}
    for key in track(list(ids), "annotations", unit="file"):
        path = folder / f"{key}.xml"
        if path.is_file():
            tags[key] = Tags(tuple(dict.fromkeys(_object_names(path, difficult))), str(path))
    return tags


def _object_names(path: Path, difficult: bool) -> Iterator[str]:
    for item in _parse_xml(path).findall("object"):
        name = (item.findtext("name") or "").strip()
        if not name:
            raise DataError(f"{path}: an <object> without <name>; add the class name")
        if difficult or (item.findtext("difficult") or "0").strip() != "1":
            yield name


def _parse_xml(path: Path) -> ElementTree.Element:
    # expat by hand: ElementTree's parser expands entities ("billion laughs") and gives no way to forbid them
    builder, parser = ElementTree.TreeBuilder(), expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise DataError(f"{path}: declares a document type or entities, which are not read; remove the declaration")

    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(path.read_bytes(), True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the last two: an encoding that expat does not know
        raise DataError(f"{path}: no valid XML ({error}); replace the file, or save it as UTF-8") from None
    return builder.close()


def read_npy_tags(path: Path, names_by_value: dict[int, str]) -> dict[str, Tags]:
    """Read a pickled dictionary id -> 0/1 vector, as the field's `cls_labels.npy`.

    Column k of a vector of 20 is VOC's class k + 1; of another length, the class with mask value k + 1 in
    `names_by_value`. Integer ids (2007000032, IRN's form) become VOC's (2007_000032).

    Raises:
        DataError: no such dictionary, a vector that is not 0/1, or a column without a class.
    """
    table = load_object_npy(path)
    if not isinstance(table, dict):
        raise DataError(f"{path}: holds no dictionary id -> label vector; save one, or use a CSV")
    tags = {}
    for raw, vector in table.items():
        key = f"{str(raw)[:4]}_{str(raw)[4:]}" if isinstance(raw, int) else image_id(str(raw))
        where = f"{path} entry '{key}'"
        hot = _vector(vector)
        if hot is None or not np.isin(hot, (0, 1)).all():
            raise DataError(f"{where}: expected a vector of 0 and 1; save the labels again")
        names = dict(enumerate(VOC_CLASSES, 1)) if len(hot) == len(VOC_CLASSES) else names_by_value
        columns = [int(column) + 1 for column in np.flatnonzero(hot)]
        for value in columns:
            if value not in names:
                raise DataError(f"{where}: column {value - 1} has no class; give data.classes a class of value {value}")
        tags[key] = Tags(tuple(names[value] for value in columns), where)
    return tags


def _vector(value: object) -> np.ndarray | None:
    try:
        array = np.asarray(value).reshape(-1)
    except ValueError:  # lists of several lengths
        return None
    return array if array.dtype.kind in "biuf" else None
