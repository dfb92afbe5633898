"""A row of the table of hostile inputs, and how rows are made."""

import os
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple


class Row(NamedTuple):
    """One input. `build` makes it in an empty folder and returns what `read` is given; `line` is a regular expression
    that the error message has, which must be one line."""

    name: str
    read: Callable[[Path], Any]
    build: Callable[[Path], Path]
    line: str


def content(name: str, data: bytes | str) -> Callable[[Path], Path]:
    """Return a builder of a file."""

    def build(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return build


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    # the path of a socket has at most 107 bytes
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


KINDS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a FIFO": (_fifo, "a FIFO, but a file is expected"),
    "a socket": (_socket, "a socket, but a file is expected"),
    "an endless device": (lambda path: path.symlink_to("/dev/zero"), "a device, but a file is expected"),
    "a folder": (lambda path: path.mkdir(), "a folder, but a file is expected"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "cannot be read|no such|missing"),
    "a name of 300 bytes": (lambda path: None, "cannot be read|no such|missing"),
}
"""What is no regular file -> how to make it, and what is said about it."""


def no_file(readers: Iterable[tuple[str, Callable[[Path], Any]]]) -> list[Row]:
    """Return rows that give each reader everything that is no regular file; a reader comes with its file's name."""
    rows = []
    for name, read in readers:
        for kind, (make, line) in KINDS.items():
            file = name if "300" not in kind else "n" * 300 + Path(name).suffix

            def build(folder: Path, make: Callable[[Path], None] = make, file: str = file) -> Path:
                make(folder / file)
                return folder / file

            rows.append(Row(f"{getattr(read, '__name__', 'read')} of {name} is {kind}", read, build, line))
    return rows
