"""Files that are complete or do not exist.

Everything is written to `.tmp-*` in the same folder (listed in `.dvcignore`) and renamed, so a killed process leaves
the old file or none. Single files are flushed to disk first, so they also survive a crash of the machine.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from auxseg.errors import FULL, ResourceError

NOT_CONTENT = (".tmp-", ".DS_Store", "._", ".nfs", "Thumbs.db", "__pycache__")
"""Prefixes of files that do not count as content of a folder: half-written files, byte code, and what file browsers and
NFS leave behind. .dvcignore lists the same."""


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds, remove it otherwise."""
    path = Path(path)
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    with _named(path, temporary):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with temporary.open("rb") as stream:
                os.fsync(stream.fileno())
            temporary.replace(path)
        finally:
            with contextlib.suppress(OSError):  # the error above, such as that of a read-only folder, says more
                temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_dir(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path` or its link target; it replaces the whole folder if the block succeeds."""
    path = Path(path).resolve()
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    with _named(path, temporary):
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        try:
            yield temporary
            shutil.rmtree(path, ignore_errors=True)
            temporary.replace(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _named(path: Path, temporary: Path) -> Iterator[None]:
    """Put `path` into an OSError of the block that names no file, or the temporary one.

    Raises:
        ResourceError: the disk, or the quota on it, is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise ResourceError(
                f"{path}: cannot be written ({os.strerror(error.errno)}); free some space, then run the same command "
                "again"
            ) from None
        if error.errno is not None and (error.filename is None or str(error.filename).startswith(str(temporary))):
            error.filename = str(path)
        raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends, atomically."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys and a final newline, atomically. NaN is an error, because JSON does not define it."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def finished(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a folder that match, sorted, without half-written files of a killed process."""
    return sorted(path for path in Path(folder).glob(pattern) if not path.name.startswith("."))


def own_files(path: Path) -> list[Path]:
    """Return the files in a folder and below, without those of NOT_CONTENT; for a file, the file itself."""
    if not path.is_dir():
        return [path]
    found = []
    for base, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(NOT_CONTENT)]
        found += [Path(base, name) for name in names if not name.startswith(NOT_CONTENT)]
    return found


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
