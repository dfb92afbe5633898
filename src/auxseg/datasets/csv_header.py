"""The first line of a CSV of image-level labels: what separates its cells, and what its columns mean."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from auxseg.artifacts.tables import reject_repeated
from auxseg.errors import DataError

COLUMNS = {
    "image_id": ("image_id", "image", "id", "filename", "file_name", "file", "name", "path"),
    "labels": ("labels", "label", "tags", "tag", "classes", "class"),
    "split": ("split", "set", "subset"),
    "group": ("group", "group_id"),
}
"""Meaning of a column -> its possible names."""
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}


@dataclass(frozen=True)
class Header:
    """`columns`: meaning of a column -> its position; `names`: of all columns up to the last one with a name."""

    line: int
    delimiter: str
    columns: dict[str, int]
    names: tuple[str, ...]
    one_hot: bool = False
    """Whether every column without a meaning is a class; otherwise a column has the labels."""
    missing: str = ""
    """What to say if the rows of a table without a column of labels are not those of a one-hot table."""
    ignored: frozenset[int] = frozenset()
    """Positions of columns of a one-hot table that are rejected, so that not every row has to be."""

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.names)

    @property
    def ends_with_tags(self) -> bool:
        """Whether the last column has the labels, so that further cells are labels too."""
        return self.columns.get("labels") == self.width - 1

    @property
    def no_classes(self) -> list[int]:
        """The positions of columns that are no class of a one-hot table."""
        return [*self.columns.values(), *self.ignored]


def read_header(path: Path, text: str) -> Header:
    """Find the delimiter that gives the first line the required columns.

    Raises:
        DataError: a column is missing, or two columns mean the same.
    """
    number, line = next(_filled_lines(text), (1, ""))
    first, *others = (_columns(line, delimiter) for delimiter in sorted(DELIMITERS, key=line.count, reverse=True))
    delimiter, names = next((one for one in (first, *others) if _has_both(one[1])), first)
    if error := _column_error(names):
        if one_hot := _one_hot_header(path, number, first, error):
            return one_hot
        raise DataError(f"{path} line {number}: {error}")
    reject_repeated(names, f"{path} line {number}")
    columns = {meaning: position for position, name in enumerate(names) if (meaning := _meaning(name)) is not None}
    return Header(number, delimiter, columns, tuple(names))


def _filled_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines that are not empty, without Excel's own first line `sep=;`."""
    numbered = ((number, line) for number, line in enumerate(io.StringIO(text), 1) if line.strip())
    for position, (number, line) in enumerate(numbered):
        if position or not re.fullmatch(r"sep=.\s*", line, re.IGNORECASE):
            yield number, line


def class_header(path: Path, text: str) -> Header:
    """Return the header of a table of which every column but the first is a class.

    Raises:
        DataError: the first column does not name images, a column has no name, or two have the same.
    """
    number, line = next(_filled_lines(text), (1, ""))
    delimiter, names = _columns(line, max(DELIMITERS, key=line.count))
    if len(names) < 2 or _meaning(names[0]) != "image_id" or not all(names):
        raise DataError(f"{path} line {number}: expected `filename` and the names of the classes; export it again")
    reject_repeated(names, f"{path} line {number}")
    return Header(number, delimiter, {"image_id": 0}, tuple(names), one_hot=True)


def _one_hot_header(path: Path, number: int, first: tuple[str, list[str]], error: str) -> Header | None:
    """Return the header of a table that may be one-hot, or None; `error` is what it lacks if it is not.

    Raises:
        DataError: two columns have the same name.
    """
    delimiter, names = first
    meanings = [_meaning(name) for name in names]
    columns = {meaning: at for at, meaning in enumerate(meanings) if meaning is not None}
    if names and not names[0]:
        columns["index" if "image_id" in columns else "image_id"] = 0  # the index of a pandas table
    repeated = len(set(filter(None, meanings))) < len([one for one in meanings if one])
    if "image_id" not in columns or "labels" in columns or repeated or len(names) == len(columns):
        return None
    reject_repeated(names, f"{path} line {number}")
    return Header(number, delimiter, columns, tuple(names), one_hot=True, missing=error)


def _cells_of(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line; none if one has more than 128 kB, as no header and no row of 0 and 1 has."""
    try:
        return next(csv.reader([line.rstrip("\n")], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        return []


def _columns(line: str, delimiter: str) -> tuple[str, list[str]]:
    names = [cell.strip().strip("\"'").strip() for cell in _cells_of(line, delimiter)]
    while names and not names[-1]:  # `image_id,labels,,` of a spreadsheet
        names.pop()
    return delimiter, names


def _meaning(name: str) -> str | None:
    plain = re.sub(r"[\s-]+", "_", name.lower())
    return next((meaning for meaning, words in COLUMNS.items() if plain in words), None)


def _has_both(names: Sequence[str]) -> bool:
    return {"image_id", "labels"} <= {_meaning(name) for name in names}


def _column_error(names: Sequence[str]) -> str | None:
    for meaning in COLUMNS:
        found = [name for name in names if _meaning(name) == meaning]
        if len({name.lower() for name in found}) > 1:
            return f"columns '{found[0]}' and '{found[1]}' mean the same ({meaning}); remove or rename one"
        if len(found) > 1:
            return f"column '{found[0].lower()}' appears twice; remove one"
        if not found and meaning in ("image_id", "labels"):
            if len(names) == 1 and _has_both(re.split(r"\s*[|\s]\s*", names[0].strip("| "))):
                return f"the header is one column, '{names[0]}'; separate columns by commas, semicolons or tabs"
            there = f" (found: {', '.join(name for name in names if name)})" if any(names) else ""
            return f"no column '{meaning}'{there}; the header must read image_id,labels[,split][,group]"
    return None
