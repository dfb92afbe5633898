"""The CSV of image-level labels, as spreadsheets and people write it.

UTF-8 with or without a byte order mark, or UTF-16 with one; separated by commas, semicolons or tabs, whichever the
header uses; column names in any case, and their usual synonyms. `csv_header` reads the first line, `one_hot` the cells
of one column per class, `tag_cells` splits the cells of labels.
"""

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from auxseg.datasets.csv_header import DELIMITERS, Header, class_header, read_header
from auxseg.datasets.one_hot import (
    Rows,
    beside_labels,
    is_one_hot,
    no_classes,
    one_hot_notes,
    shown_classes,
    truth,
    wrong_cell,
)
from auxseg.datasets.other_tables import reject_other_tables, there_instead
from auxseg.datasets.problems import ROWS, STRICT, Problems
from auxseg.datasets.spelling import KnownNames, unify
from auxseg.datasets.tag_cells import read_names
from auxseg.datasets.tags import Tags, image_id
from auxseg.errors import DataError, quote
from auxseg.files import read_text


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
    header, raw, rows = _read_rows(path, read_header, problems)
    names: Sequence[tuple[str, ...]]
    if header.one_hot:
        names, notes = unify([row.shown or () for row in rows], KnownNames(known or ()))
        notes += [*one_hot_notes(header.names, header.no_classes, raw), *_group_note(header, raw)]
    else:
        names, notes = _cells(path, rows, known, problems)
        by_line = {row.line: {name.casefold() for name in own} for row, own in zip(rows, names, strict=True)}
        column = header.names[header.columns["labels"]]
        notes += beside_labels(header.names, header.no_classes, raw, by_line, column)
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
    header, _, rows = _read_rows(path, class_header, problems)
    tags = _unique(path, rows, [row.shown or () for row in rows], (), problems).rows
    return header.names[1:], tags


def has_class_columns(path: Path) -> bool:
    """Tell whether a file has the header that `read_class_columns` reads."""
    try:
        return class_header(path, read_text(path)).one_hot
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
    path: Path, find_header: Callable[[Path, str], Header], problems: Problems
) -> tuple[Header, Rows, list[_Row]]:
    """Return the header, line and cells of each row below it that is not empty, and the rows that can be used."""
    try:
        reject_other_tables(path)
        text = read_text(path, "save it again as UTF-8 (Excel: CSV UTF-8)")
    except FileNotFoundError:
        fix = there_instead(path) or "add it, or set data.labels_file"
        raise DataError(f"{path}: no such file; {fix}") from None
    header, rows = find_header(path, text), []
    # spreadsheets leave rows of empty cells behind
    raw = [(line, cells) for line, cells in _parse(path, text, header) if any(cell.strip() for cell in cells)]
    if header.one_hot:
        header = _check_one_hot(path, header, raw, problems)
    for line, cells in raw:
        with problems.of(ROWS):
            rows.append(_row(path, line, cells, header))
    return header, raw, rows


def _check_one_hot(path: Path, header: Header, rows: Rows, problems: Problems) -> Header:
    """Check that a table without a column of labels is one-hot; return the header without columns that are no classes.

    Raises:
        DataError: it is another table, or no cell of a column is 0 or 1.
    """
    names, others = header.names, header.no_classes
    if header.missing and not is_one_hot(names, others, rows):
        raise DataError(f"{path} line {header.line}: {header.missing}{_one_hot_hint(header, rows)}")
    wrong = no_classes(names, others, rows)
    lines = [f"{path} line {line}: {wrong_cell(names[at], cell)}" for at, (line, cell) in wrong.items()]
    problems.reject(ROWS, lines, [f"column '{names[at]}'" for at in wrong])
    return replace(header, ignored=frozenset(wrong))


def _one_hot_hint(header: Header, rows: Rows) -> str:
    """Return the end of a message about a table without labels: what prevents reading it as one-hot."""
    others = [at for at in range(header.width) if at not in header.no_classes]
    if unnamed := [at for at in others if not header.names[at]]:
        return f", or one column for each class, with 0 and 1 (column {unnamed[0] + 1} has no name)"
    for line, cells in rows:
        for at in others:
            if at < len(cells) and truth(cells[at]) is None:
                found = f"column '{header.names[at]}' has {quote(cells[at].strip())} in line {line}"
                return f", or one column for each class, with 0 and 1 ({found})"
    return ""


def _group_note(header: Header, rows: Rows) -> Iterator[str]:
    """Yield a note if the column `group` of a one-hot table may be meant as a class."""
    at = header.columns.get("group")
    if at is not None and all(len(cells) > at and truth(cells[at]) is not None for _, cells in rows):
        name = header.names[at]
        yield (
            f"labels: column '{name}' keeps images with the same value in one split and is not a class, though it has "
            "only 0 and 1; if it is a class, give it another name"
        )


def _parse(path: Path, text: str, header: Header) -> list[tuple[int, list[str]]]:
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


def _row(path: Path, line: int, cells: Sequence[str], header: Header) -> _Row:
    where = f"{path} line {line}"
    surplus = list(cells[header.width :])
    while surplus and not surplus[-1].strip():
        surplus.pop()
    if len(cells) < header.width or (surplus and not header.ends_with_tags):
        delimiter = DELIMITERS[header.delimiter]
        counted = f"cells than the header, which has {header.width} (by {delimiter}s)"
        if not surplus:
            raise DataError(f"{where}: fewer {counted}; separate the cells by {delimiter}s, empty ones too")
        if header.one_hot:
            raise DataError(f"{where}: more {counted}; give every column a name, or remove the surplus cells")
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
    if not header.one_hot:
        return _Row(line, key, (cells[header.columns["labels"]], *surplus), *optional)
    try:
        return _Row(
            line, key, (), *optional, tuple(shown_classes(header.names, header.no_classes, cells[: header.width]))
        )
    except ValueError as error:
        raise DataError(f"{where}: {error}") from None
