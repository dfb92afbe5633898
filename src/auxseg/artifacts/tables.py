"""CSV files. Equal content gives equal bytes."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from auxseg.artifacts.atomic import write_text
from auxseg.artifacts.damage import damaged
from auxseg.errors import DataError
from auxseg.files import open_file, text_encoding


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV with Unix line ends, atomically."""
    write_text(path, csv_text(header, rows))


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a CSV with Unix line ends as text; `read_table` reads the same cells back."""
    lines = _UnixLines()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return "".join(lines)


class _UnixLines(list[str]):
    """Takes rows from a writer that ends them by CR LF, so that it quotes a cell with a lone CR too."""

    def write(self, row: str) -> None:
        self.append(row.removesuffix("\r\n") + "\n")


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a CSV with a header line as a list of dictionaries."""
    return list(read_table(path)[1].values())


def read_artifact(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Read a CSV that a stage wrote.

    Raises:
        DataError: it is missing or damaged: a column is missing, or a row has not as many cells as the header.
    """
    header, rows = read_table(path)
    for name in columns:
        if name not in header:
            raise damaged(path, f"it has no column '{name}'")
    for number, row in rows.items():
        if None in row or None in row.values():
            raise damaged(path, f"line {number} has not as many cells as the header")
    return list(rows.values())


def read_table(path: Path) -> tuple[list[str], dict[int, dict[str | Any, str | Any]]]:
    """Read the header of a CSV, and its rows as dictionaries by the number of their last line, counted from 1.

    Raises:
        DataError: the file is missing, is not a CSV in UTF-8 or in UTF-16 with a byte order mark, or has two columns
            of the same name.
    """
    try:
        with open_file(path) as file, io.TextIOWrapper(file, text_encoding(file.peek(4)), newline="") as stream:
            reader = csv.DictReader(stream)  # a row with too many or too few cells has None as a key or value
            header = list(reader.fieldnames or ())
            reject_repeated(header, f"{path} line 1")
            return header, dict((reader.line_num, row) for row in reader)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; add it, or run the stage that writes it") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a UTF-8 CSV ({error}); save it again as UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{path} line {reader.reader.line_num}: not CSV ({error}); fix that line") from None


def require_columns(path: Path, header: Sequence[str], columns: Sequence[str]) -> None:
    """Check that a table that a person may have saved again has all columns.

    Raises:
        DataError: one is missing, for example because a spreadsheet separated the cells by semicolons or tabs.
    """
    missing = [name for name in columns if name not in header]
    if not missing:
        return
    for mark, name in ((";", "';'"), ("\t", "tabs")):
        if any(mark in cell for cell in header):
            raise DataError(f"{path} line 1: cells are separated by {name}; save it again with commas between them")
    raise DataError(f"{path} line 1: no column '{missing[0]}'; the header is {','.join(columns)}")


def reject_repeated(header: Sequence[str], where: str) -> None:
    """Check that no two columns have the same name, because only one of them would be read.

    Raises:
        DataError: two have; the message begins with `where`.
    """
    names = [name.strip() for name in header if name.strip()]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{where}: column '{twice}' appears twice; remove one")


def write_rows(path: Path, rows: Sequence[Mapping[str, object]], header: Sequence[str] = ()) -> None:
    """Write dictionaries with the same keys as a CSV: floats with 6 significant digits, None and NaN as empty cells.

    `header` names the columns; it is needed if there may be no rows.
    """
    header = header or list(rows[0])
    write_csv(path, header, [[_cell(row[name]) for name in header] for row in rows])


def _cell(value: object) -> object:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value
