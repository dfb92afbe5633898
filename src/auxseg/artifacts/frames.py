"""CSV files as pandas data frames.

A module of its own beside `auxseg.artifacts.tables`: importing pandas takes about 0.4 s, which stages that only write a
small table do not spend.
"""

from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path

import pandas

from auxseg.artifacts.atomic import write_text
from auxseg.errors import DataError, first_line
from auxseg.files import open_file

Cell = type[str] | type[int] | type[float]
"""The type of a column's cells."""


def read_frame(paths: Iterable[Path], columns: Mapping[str, Cell]) -> pandas.DataFrame:
    """Read CSV files with the same columns into one frame, file after file.

    Args:
        paths: the files.
        columns: column name -> str, int or float. Text is kept as it is ("NA" and "007" too); an empty cell of a float
            column is NaN.

    Raises:
        DataError: a file is missing, or a cell is not of its column's type.
    """
    empty = pandas.DataFrame({name: pandas.Series(dtype=kind) for name, kind in columns.items()})
    return pandas.concat([empty, *(_read(path, columns) for path in paths)], ignore_index=True)


def _read(path: Path, columns: Mapping[str, Cell]) -> pandas.DataFrame:
    missing = {name: [""] for name, kind in columns.items() if kind is float}
    dtypes: dict[Hashable, Cell] = dict(columns.items())
    try:
        with open_file(path) as stream:
            frame: pandas.DataFrame = pandas.read_csv(
                stream,
                dtype=dtypes,
                usecols=list(columns),
                index_col=False,  # otherwise rows with a surplus cell would be read one column further
                keep_default_na=False,
                na_values=missing,
                float_precision="round_trip",
            )
        return frame
    except DataError:
        raise
    except Exception as error:  # pandas has many
        reason = first_line(error)
        raise DataError(f"{path}: not a readable table ({reason}); run the stage that writes it again") from None


def write_frame(path: Path, frame: pandas.DataFrame) -> None:
    """Write a CSV atomically, without the index: floats with 6 significant digits, None and NaN as empty cells."""
    write_text(path, frame.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
