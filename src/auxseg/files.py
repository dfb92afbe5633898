"""Open the files that users name. Every reader opens its file here, or asks `require_file` before a library does.

Only regular files are opened: a FIFO or a terminal would wait for ever, and a device need not end.
"""

import errno
import io
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from auxseg.errors import DataError

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def require_file(path: Path) -> None:
    """Check that a path is a regular file, or a link to one, so that a library can open it.

    Raises:
        FileNotFoundError: there is nothing; the caller knows what to do about it.
        DataError: it is a folder, a FIFO, a socket or a device, or cannot be reached.
    """
    try:
        mode = Path(path).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "not a regular file")
        raise DataError(f"{path}: {kind}, but a file is expected; give a file with this content")


def real_path(path: Path) -> Path:
    """Return a path without links, as `Path.resolve` does, which raises an error for a link to itself."""
    return Path(os.path.realpath(path))


def open_file(path: Path) -> io.BufferedReader:
    """Open a file for reading bytes.

    Raises:
        FileNotFoundError: there is no file; the caller knows what to do about it.
        DataError: as `require_file`, or the file may not be read.
    """
    require_file(path)
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise _unreadable(path, error) from None


def read_bytes(path: Path) -> bytes:
    """Return the content of a file; raises as `open_file`."""
    with open_file(path) as stream:
        try:
            return stream.read()
        except OSError as error:
            raise _unreadable(path, error) from None


def read_text(path: Path, fix: str = "save it again as UTF-8") -> str:
    r"""Return the text of a file, without a byte order mark; line breaks of any system become \n.

    Raises:
        FileNotFoundError: there is no file; the caller knows what to do about it.
        DataError: it cannot be read as UTF-8; the message ends with `fix`.
    """
    try:
        return io.TextIOWrapper(io.BytesIO(read_bytes(path)), "utf-8-sig").read()
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a UTF-8 text ({error}); {fix}") from None


def read_json(
    path: Path,
    fix: str = "save it again",
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
) -> Any:
    """Return the content of a JSON file.

    Raises:
        FileNotFoundError: there is no file; the caller knows what to do about it.
        DataError: it is not JSON in UTF-8, or nested too deeply; the message ends with `fix`.
    """
    text = read_text(path, fix)
    try:
        return json.loads(text, object_pairs_hook=object_pairs_hook)
    except RecursionError:
        raise DataError(f"{path}: not JSON (nested too deeply); {fix}") from None
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error}); {fix}") from None


def _unreadable(path: Path, error: OSError | ValueError) -> DataError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return DataError(f"{path}: cannot be read ({reason}); fix its link, its name or its permissions")
