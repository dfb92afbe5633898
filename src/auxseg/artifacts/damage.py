"""What a reader of an artifact says about a file that is not what its stage wrote."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from auxseg.errors import AuxsegError, DataError, first_line

FIX = "remove it and run `dvc repro`, which makes it again"


def damaged(path: Path, what: object) -> DataError:
    """Return the error for an artifact that is cut, was edited, or belongs to other inputs; `what` is the reason."""
    return DataError(f"{path}: damaged: {first_line(what)}; {FIX}")


@contextlib.contextmanager
def read_whole(path: Path) -> Iterator[None]:
    """Read an artifact inside the block: whatever the reader raises becomes a DataError of one line.

    It catches everything, because the readers of JSON, CSV, zip, Parquet, safetensors and PNG share no class of
    errors, and the block only reads.

    Raises:
        DataError: the file is missing or damaged.
        MemoryError: as it is; the file may be whole.
    """
    try:
        yield
    except (AuxsegError, MemoryError):
        raise
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; `dvc pull` it, or run `dvc repro`") from None
    except KeyError as error:
        raise damaged(path, f"{error.args[0]!r} is missing" if error.args else "a key is missing") from None
    except Exception as error:
        raise damaged(path, error) from None
