"""Tables as Parquet files: typed columns, one byte string a content (and version of pyarrow)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet

from auxseg.artifacts.atomic import atomic_path

_TYPES = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}


def write_parquet(path: Path, rows: Sequence[Mapping[str, object]], columns: Mapping[str, type]) -> None:
    """Write rows with the named columns of type str, int or float, atomically; None stays empty."""
    schema = pyarrow.schema([(name, _TYPES[kind]) for name, kind in columns.items()])
    table = pyarrow.table({name: [row[name] for row in rows] for name in columns}, schema=schema)
    with atomic_path(path) as temporary:
        pyarrow.parquet.write_table(table, temporary, compression="zstd")
