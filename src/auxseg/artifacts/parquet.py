"""Data frames as Parquet files with typed columns. Equal content gives equal bytes, for one version of pyarrow."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pandas
import pyarrow
import pyarrow.parquet

from auxseg.artifacts.atomic import atomic_path

_TYPES = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
_ROWS_AT_ONCE = 1 << 16


def write_parquet(path: Path, frame: pandas.DataFrame, columns: Mapping[str, type]) -> None:
    """Write the named columns, of type str, int or float, atomically; None and NaN are written as null."""
    with parquet_table(path, columns) as append:
        append(frame)


@contextlib.contextmanager
def parquet_table(path: Path, columns: Mapping[str, type]) -> Iterator[Callable[[pandas.DataFrame], None]]:
    """Yield a function that appends a frame as `write_parquet` writes it, so that a long table is written in parts."""
    schema = pyarrow.schema([(name, _TYPES[kind]) for name, kind in columns.items()])

    def append(frame: pandas.DataFrame) -> None:
        table = pyarrow.Table.from_pandas(frame, schema, preserve_index=False)
        writer.write_table(table, row_group_size=_ROWS_AT_ONCE)

    with atomic_path(path) as temporary, pyarrow.parquet.ParquetWriter(temporary, schema, compression="zstd") as writer:
        yield append
