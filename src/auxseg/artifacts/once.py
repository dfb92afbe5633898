"""Files that are opened once a process, however often they are asked for."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def opened_once(opens: Callable[[Path], T]) -> Callable[[Path], T]:
    """Return `opens`, keeping what it returned for the last 64 files; a file that was written anew is opened anew."""

    @lru_cache(maxsize=64)
    def kept(path: Path, version: tuple[int, ...]) -> T:
        return opens(path)

    def opened(path: Path) -> T:
        found = path.stat() if path.exists() else None  # what is missing is for `opens` to refuse
        return kept(path, (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size) if found else ())

    return opened
