"""The CSV of image-level labels, as spreadsheets and people write it.

UTF-8 with or without a byte order mark; separated by commas, semicolons or tabs, whichever the header uses; column
names in any case, and their usual synonyms. `auxseg.datasets.tag_cells` splits the cells of labels.
"""

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from auxseg.artifacts.tables import reject_repeated
from auxseg.datasets.one_hot import is_one_hot, shown_classes
from auxseg.datasets.problems import ROWS, STRICT, Problems
from auxseg.datasets.spelling import KnownNames, unify
from auxseg.datasets.tag_cells import read_names
from auxseg.datasets.tags import Tags, image_id
from auxseg.errors import DataError
from auxseg.files import read_text

COLUMNS = {
    "image_id": ("image_id", "image", "id", "filename", "file_name", "file", "name", "path"),
    "labels": ("labels", "label", "tags", "tag", "classes", "class"),
    "split": ("split", "set", "subset"),
    "group": ("group", "group_id"),
}
"""Meaning of a column -> its possible names."""
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}


@dataclass(frozen=True)
class CsvTags:
    """The rows by id, in the order of the file, and notes on how ambiguous labels were read."""

    rows: dict[str, Tags]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Row:
    line: int
    image_id: str
    tags: tuple[str, ...]
    """One cell, or several for an unquoted `cow,car`."""
    split: str | None
    group: str | None
    shown: tuple[str, ...] | None = None
    """The classes of a one-hot row; None where a cell of labels has them."""


@dataclass(frozen=True)
class _Header:
    """`columns`: meaning of a column -> its position; `width`: number of columns up to the last one with a name."""

    line: int
    delimiter: str
    columns: dict[str, int]
    width: int
    one_hot: tuple[str, ...] | None = None
    """The header of a one-hot table; None where a column has the labels."""

    @property
    def ends_with_tags(self) -> bool:
        return self.columns.get("labels") == self.width - 1


def read_csv_tags(path: Path, known: Collection[str] | None, problems: Problems = STRICT) -> CsvTags:
    """Read a CSV `image_id,labels[,split][,group]`. An empty cell of labels is an image without any object.

    Args:
        path: the file.
        known: the names of `data.classes`; None allows any name.
        problems: rows with one are left out, if it collects them.

    Raises:
        DataError: a column is missing, an id is empty or repeated, or a cell cannot be read; the message names file,
            line and fix.
    """
    _, rows = _read_rows(path, _read_header, problems)
    names: Sequence[tuple[str, ...]]
    if rows and rows[0].shown is not None:
        names, notes = unify([row.shown or () for row in rows], KnownNames(known or ()))
    else:
        names, notes = _cells(path, rows, known, problems)
    return _unique(path, rows, names, notes, problems)


def read_class_columns(path: Path, problems: Problems = STRICT) -> tuple[tuple[str, ...], dict[str, Tags]]:
    """Read a one-hot table whose first column names the image; every other column is a class, whatever it is called.

    Args:
        path: the file.
        problems: rows with one are left out, if it collects them.

    Returns:
        The classes in the order of the columns, and the rows by id.

    Raises:
        DataError: there is no such table, or a row cannot be read; the message names file, line and fix.
    """
    header, rows = _read_rows(path, _class_header, problems)
    tags = _unique(path, rows, [row.shown or () for row in rows], (), problems).rows
    return (header.one_hot or ())[1:], tags


def has_class_columns(path: Path) -> bool:
    """Tell whether a file has the header that `read_class_columns` reads."""
    try:
        return bool(_class_header(path, read_text(path)).one_hot)
    except (OSError, DataError):
        return False


def _cells(
    path: Path, rows: Sequence["_Row"], known: Collection[str] | None, problems: Problems
) -> tuple[Sequence[tuple[str, ...]], list[str]]:
    names, notes = read_names([(f"{path} line {row.line}", row.tags) for row in rows], known, problems)
    return names, notes


def _unique(
    path: Path,
    rows: Sequence["_Row"],
    names: Sequence[tuple[str, ...]],
    notes: Sequence[str],
    problems: Problems,
) -> CsvTags:
    tags: dict[str, Tags] = {}
    lines: dict[str, int] = {}
    for row, row_names in zip(rows, names, strict=True):
        where = f"{path} line {row.line}"
        key = image_id(row.image_id)
        with problems.of(ROWS):
            if not key:
                raise DataError(f"{where}: no image_id; write the name of the image file")
            if key in tags:
                raise DataError(
                    f"{where}: id '{key}' is listed twice (also in line {lines[key]}); remove one row (each image has "
                    "one row with all its labels)"
                )
            tags[key], lines[key] = Tags(row_names, where, row.split, row.group), row.line
    return CsvTags(tags, tuple(notes))


def _read_rows(
    path: Path, find_header: Callable[[Path, str], _Header], problems: Problems
) -> tuple[_Header, list[_Row]]:
    try:
        text = read_text(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; add it, or set data.labels_file") from None
    header, rows = find_header(path, text), []
    for line, cells in _parse(path, text, header):
        if any(cell.strip() for cell in cells):  # spreadsheets leave rows of empty cells behind
            with problems.of(ROWS):
                rows.append(_row(path, line, cells, header))
    return header, rows


def _read_header(path: Path, text: str) -> _Header:
    """Find the delimiter that gives the first line the required columns.

    Raises:
        DataError: a column is missing, or two columns mean the same.
    """
    numbered = _filled_lines(text)
    number, line = next(numbered, (1, ""))
    first, *others = (_columns(line, delimiter) for delimiter in sorted(DELIMITERS, key=line.count, reverse=True))
    delimiter, names = next((one for one in (first, *others) if _has_both(one[1])), first)
    if error := _column_error(names):
        if one_hot := _one_hot_header(path, number, line, next(numbered, (0, ""))[1]):
            return one_hot
        raise DataError(f"{path} line {number}: {error}")
    reject_repeated(names, f"{path} line {number}")
    columns = {meaning: position for position, name in enumerate(names) if (meaning := _meaning(name)) is not None}
    return _Header(number, delimiter, columns, len(names))


def _filled_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines that are not empty, without Excel's own first line `sep=;`."""
    numbered = ((number, line) for number, line in enumerate(io.StringIO(text), 1) if line.strip())
    for position, (number, line) in enumerate(numbered):
        if position or not re.fullmatch(r"sep=.\s*", line, re.IGNORECASE):
            yield number, line


def _class_header(path: Path, text: str) -> _Header:
    """Return the header of a table of which every column but the first is a class.

    Raises:
        DataError: the first column does not name images, a column has no name, or two have the same.
    """
    number, line = next(_filled_lines(text), (1, ""))
    delimiter, names = _columns(line, max(DELIMITERS, key=line.count))
    if len(names) < 2 or _meaning(names[0]) != "image_id" or not all(names):
        raise DataError(f"{path} line {number}: expected `filename` and the names of the classes; export it again")
    reject_repeated(names, f"{path} line {number}")
    return _Header(number, delimiter, {"image_id": 0}, len(names), tuple(names))


def _one_hot_header(path: Path, number: int, line: str, first: str) -> _Header | None:
    """Return the header of a one-hot table, or None if header and first row are not those of one."""
    delimiter, names = _columns(line, max(DELIMITERS, key=line.count))
    columns = {meaning: at for at, name in enumerate(names) if (meaning := _meaning(name)) in ("image_id", "split")}
    if names and not names[0]:
        columns["index" if "image_id" in columns else "image_id"] = 0  # the index of a pandas table
    cells = _cells_of(first, delimiter)
    is_known = "image_id" in columns and not any(_meaning(name) == "labels" for name in names)
    if not is_known or not is_one_hot(names, list(columns.values()), cells):
        return None
    reject_repeated(names, f"{path} line {number}")
    return _Header(number, delimiter, columns, len(names), tuple(names))


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
            there = f" (found: {', '.join(name for name in names if name)})" if any(names) else ""
            return f"no column '{meaning}'{there}; the header must read image_id,labels[,split][,group]"
    return None


def _parse(path: Path, text: str, header: _Header) -> list[tuple[int, list[str]]]:
    """Return line number and cells of each row below the header."""
    lines = list(_quote_lists(io.StringIO(text), header.delimiter))[header.line :]
    strict = True
    while True:
        reader = csv.reader(lines, delimiter=header.delimiter, skipinitialspace=True, strict=strict)
        try:
            rows = [(header.line + reader.line_num, cells) for cells in reader]
        except csv.Error as error:
            line = header.line + reader.line_num
            if not strict or "expected after" not in str(error):
                raise DataError(f"{path} line {line}: not a CSV ({error}); fix its quotes") from None
            strict = False  # `"cow";"car"` is not valid CSV, but people write it
            continue
        if not strict:
            _reject_long_rows(path, rows, header.line)
        return rows


def _reject_long_rows(path: Path, rows: Sequence[tuple[int, list[str]]], line: int) -> None:
    """Reject a row of several lines: in the lenient mode, a quote that is never closed swallows the lines after it."""
    for number, _ in rows:
        if number > line + 1:
            raise DataError(f"{path} line {line + 1}: not a CSV (a quote is not closed in its line); fix its quotes")
        line = number


def _quote_lists(lines: Iterable[str], delimiter: str) -> Iterator[str]:
    """Put quotes around bare lists: `a,["cat", "dog"]` is not valid CSV, but people write it."""
    inner = r"\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*\]|\{[^{}\n]*\}"
    bare = re.compile(rf"(?<={delimiter}) *({inner})(?= *(?:{delimiter}|\n|$))")
    is_open = False  # within a quoted cell of several lines
    for line in lines:
        before = line

        def quote(match: re.Match[str], line: str = before) -> str:
            is_inside = line.count('"', 0, match.start()) % 2
            whole, inner = str(match[0]), str(match[1])
            return whole if is_inside else '"' + inner.replace('"', '""') + '"'

        changed = line if is_open else bare.sub(quote, line)
        is_open ^= changed.count('"') % 2 == 1
        yield changed


def _row(path: Path, line: int, cells: Sequence[str], header: _Header) -> _Row:
    where = f"{path} line {line}"
    surplus = list(cells[header.width :])
    while surplus and not surplus[-1].strip():
        surplus.pop()
    if len(cells) < header.width or (surplus and not header.ends_with_tags):
        delimiter = DELIMITERS[header.delimiter]
        counted = f"cells than the header, which has {header.width} (by {delimiter}s)"
        if not surplus:
            raise DataError(f"{where}: fewer {counted}; separate the cells by {delimiter}s, empty ones too")
        raise DataError(
            f"{where}: more {counted}; separate labels by {'; or |' if header.delimiter != ';' else ', or |'}, not by "
            f"a {delimiter}, or put them in quotes"
        )
    key = cells[header.columns["image_id"]]
    split, group = header.columns.get("split"), header.columns.get("group")
    optional = (
        None if split is None else cells[split].strip().lower(),
        None if group is None else cells[group].strip() or None,
    )
    if header.one_hot is None:
        return _Row(line, key, (cells[header.columns["labels"]], *surplus), *optional)
    try:
        skipped = list(header.columns.values())
        return _Row(line, key, (), *optional, tuple(shown_classes(header.one_hot, skipped, cells[: header.width])))
    except ValueError as error:
        raise DataError(f"{where}: {error}; correct it, or write the names into a column 'labels'") from None
