"""Files that exist whole or not at all.

Everything is written to `.tmp-*` in the same folder (listed in `.dvcignore`) and renamed, so a killed process leaves
the old file or none. Single files are flushed to the disk first, and survive a crash of the machine too.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NOBODYS = (".tmp-", ".DS_Store", "._", ".nfs", "Thumbs.db", "__pycache__")
"""Beginnings of names that are no part of a folder: half-written files, what file browsers and NFS put there, byte
code. .dvcignore lists the same."""


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds, remove it otherwise."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_dir(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`, or what that links to; it replaces that whole if the block succeeds."""
    path = Path(path).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        shutil.rmtree(path, ignore_errors=True)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends, atomically."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys and a final newline, atomically. NaN is refused: no reader agrees on it."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def finished(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a folder that match, sorted, without what a killed process left half-written."""
    return sorted(path for path in Path(folder).glob(pattern) if not path.name.startswith("."))


def own_files(path: Path) -> list[Path]:
    """Return the files in a folder and below, without what `NOBODYS` names; of a path that is no folder, itself."""
    if not path.is_dir():
        return [path]
    found = []
    for base, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(NOBODYS)]
        found += [Path(base, name) for name in names if not name.startswith(NOBODYS)]
    return found


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
