"""Files that are complete or do not exist.

Everything is written into a folder `.tmp-PID-NAME` beside it (listed in `.dvcignore`) and renamed, so a killed process
leaves the old file or none, and what a library writes beside its file is in that folder too.

That holds when the machine loses its power too. A kernel writes to the disk when it likes and in any order, unless it
is told to flush: a rename may be there before the content of the file. So the content is flushed before the rename, and
the folder with the new name after it; then the file is there for good.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from auxseg.errors import DISK_ERRORS, ResourceError
from auxseg.files import open_file

NOT_CONTENT = (".tmp", ".DS_Store", "._", ".nfs", "Thumbs.db", "__pycache__")
"""Prefixes of files that do not count as content of a folder: half-written files (of safetensors too), byte code, and
what file browsers and NFS leave behind. .dvcignore lists the same, and UNFINISHED."""
UNFINISHED = ".tmp"
"""How the names end of files that DVC has not finished."""

REPLACED = "old-"
"""Prefix of the name of a folder that is being replaced."""

NAME_BYTES = 255
"""Most bytes of a file's name on all usual file systems."""


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` if the block succeeds, remove it otherwise.

    Whatever happens, `path` is the old file, or none if there was none, or the new one; after the block the new one.
    """
    path = Path(path)
    folder = _beside(path)
    temporary = folder / path.name
    with _named(path, folder):
        _make_folder(path.parent)
        folder.mkdir(exist_ok=True)  # it exists if the same process writes the same file twice at once
        try:
            yield temporary
            _flush(temporary)
            temporary.replace(path)
            _flush(path.parent)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def atomic_dir(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path` or its link target; it replaces the whole folder if the block succeeds.

    It is in the same folder as `path`, so relative paths in its files hold. Whatever happens, `path` is the old folder,
    none, or the new one, each complete; after the block the new one.
    """
    path = Path(path).resolve()
    temporary, replaced = _beside(path), _beside(path.with_name(REPLACED + path.name))
    with _named(path, temporary):
        _make_folder(path.parent)
        for left in (temporary, replaced):
            shutil.rmtree(left, ignore_errors=True)
        temporary.mkdir()
        try:
            yield temporary
            _flush_all(temporary)
            _exchange(temporary, path, replaced)
            _flush(path.parent)
        finally:
            for left in (temporary, replaced):
                shutil.rmtree(left, ignore_errors=True)


def _exchange(new: Path, path: Path, replaced: Path) -> None:
    """Move a folder to `path`, and the one that is there to `replaced`: removed in place, half of it might stay."""
    if path.is_dir():
        path.replace(replaced)
    try:
        new.replace(path)
    except OSError:
        if replaced.is_dir():
            replaced.replace(path)
        raise


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, and flush their names."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        _flush(one.parent)


def _flush_all(folder: Path) -> None:
    for base, _, names in os.walk(folder):
        for path in (*(Path(base, name) for name in names), Path(base)):
            if not path.is_symlink():
                _flush(path)


def _flush(path: Path) -> None:
    """Write a file, or the names in a folder, to the disk; return when they are there."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:
        if path.is_dir():  # one may write into folders that one cannot list
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        # some network file systems flush no folders
        if error.errno not in (errno.EINVAL, errno.ENOTSUP) or not path.is_dir():
            raise
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _named(path: Path, temporary: Path) -> Iterator[None]:
    """Put `path` into an OSError of the block that names no file, or the temporary one.

    Raises:
        ResourceError: the disk, or the quota on it, is full, or the disk fails.
    """
    try:
        yield
    except OSError as error:
        if error.errno in DISK_ERRORS:
            fix = "check the disk" if error.errno == errno.EIO else "free some space"
            raise ResourceError(
                f"{path}: cannot be written ({os.strerror(error.errno)}); {fix}, then run the same command again"
            ) from None
        if error.errno is not None and (error.filename is None or str(error.filename).startswith(str(temporary))):
            error.filename = str(path)
        raise


def _beside(path: Path) -> Path:
    """Return the temporary path of a file or folder; its name is cut where file systems allow no longer one."""
    start = f".tmp-{os.getpid()}-"
    if len((start + path.name).encode()) <= NAME_BYTES:
        return path.with_name(start + path.name)
    return path.with_name(start + hashlib.sha256(path.name.encode()).hexdigest() + path.suffix)


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


def remove_path(path: Path) -> None:
    """Remove a file, or a folder with its content, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def own_files(path: Path) -> list[Path]:
    """Return the files in a folder and below, without what is no content; for a file, the file itself."""
    if not path.is_dir():
        return [path]
    found = []
    for base, folders, names in os.walk(path):
        folders[:] = filter(is_content, folders)
        found += [Path(base, name) for name in filter(is_content, names)]
    return found


def is_content(name: str) -> bool:
    """Tell whether a file or folder of this name counts as content of the folder that it is in."""
    return not name.startswith(NOT_CONTENT) and not name.endswith(UNFINISHED)


def signature(paths: Iterable[str]) -> list[tuple[str, int, int, int]]:
    """Return path, size, modification time (ns) and inode of every file at or below the paths, sorted by path.

    Two results are equal if no file was written, replaced, added or removed in between. A path that does not exist has
    no entry.
    """
    files = {file for path in map(Path, paths) if path.exists() for file in own_files(path)}
    return sorted(
        (str(file), (state := file.stat()).st_size, state.st_mtime_ns, state.st_ino) for file in files if file.exists()
    )


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal; raises as `open_file`."""
    with open_file(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
