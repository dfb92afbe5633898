"""Tables as Parquet files: typed columns, one byte string a content (and version of pyarrow)."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

import pyarrow
import pyarrow.parquet

from auxseg.artifacts.atomic import atomic_path

Rows = Iterable[Mapping[str, object]]

_TYPES = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
_ROWS_AT_ONCE = 1 << 16


def write_parquet(path: Path, rows: Rows, columns: Mapping[str, type]) -> None:
    """Write rows with the named columns of type str, int or float, atomically; None stays empty."""
    with parquet_table(path, columns) as append:
        append(rows)


@contextlib.contextmanager
def parquet_table(path: Path, columns: Mapping[str, type]) -> Iterator[Callable[[Rows], None]]:
    """Yield a function that appends rows as `write_parquet` writes them, of which few are in memory at a time."""
    schema = pyarrow.schema([(name, _TYPES[kind]) for name, kind in columns.items()])

    def append(rows: Rows) -> None:
        rows = iter(rows)
        while batch := list(islice(rows, _ROWS_AT_ONCE)):
            writer.write_table(pyarrow.table({name: [row[name] for row in batch] for name in columns}, schema=schema))

    with atomic_path(path) as temporary, pyarrow.parquet.ParquetWriter(temporary, schema, compression="zstd") as writer:
        yield append
