"""Open the files that users name. Every reader opens its file here, or asks `require_file` before a library does.

Only regular files are opened: a FIFO or a terminal would wait for ever, and a device need not end.
"""

import codecs
import errno
import io
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from auxseg.errors import DataError

CLUTTER = ("thumbs.db", "desktop.ini", "$recycle.bin", "system volume information", "@eadir", "#recycle", "lost+found")
"""What Windows, network storage and file systems put into folders of images, in lower case."""

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order mark -> encoding."""


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


def is_clutter(name: str) -> bool:
    """Tell whether a file or folder of this name is hidden or CLUTTER, and no part of a data set."""
    return name.startswith(".") or name.lower() in CLUTTER


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


def text_encoding(start: bytes) -> str:
    """Return the encoding of a text by its first four bytes: that of its byte order mark, or UTF-8.

    Raises:
        UnicodeDecodeError: it is UTF-16 without such a mark.
    """
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    if start[:4].count(0) == 2 and b"\0\0" in (start[0:4:2], start[1:4:2]):
        raise UnicodeDecodeError("utf-8", start, 0, 1, "UTF-16 without a byte order mark")
    return "utf-8-sig"


def read_text(path: Path, fix: str = "save it again as UTF-8", marked: bool = True) -> str:
    r"""Return the text of a file, without a byte order mark; line breaks of any system become \n.

    Args:
        path: the file.
        fix: the end of the message.
        marked: read UTF-16 with a byte order mark too, as Excel's "Unicode text" and Windows' PowerShell write it.

    Raises:
        FileNotFoundError: there is no file; the caller knows what to do about it.
        DataError: it cannot be read as UTF-8; the message ends with `fix`.
    """
    content = read_bytes(path)
    try:
        encoding = text_encoding(content[:4]) if marked else "utf-8-sig"
        return io.TextIOWrapper(io.BytesIO(content), encoding).read()
    except UnicodeDecodeError as error:
        lines = content.count(b"\n", 0, error.start)
        line = f", line {lines + 1}" if error.encoding == "utf-8" and error.start else ""
        raise DataError(f"{path}: not a UTF-8 text ({error}{line}); {fix}") from None


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
