"""Files of named members, and how a process opens each of them once."""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class Members(Mapping[str, T]):
    """A file opened for reading, as a mapping from the names of its members to what they contain."""

    _names: dict[str, None]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def opened_once(opens: Callable[[Path], T]) -> Callable[[Path], T]:
    """Return a version of `opens` that keeps the last 64 files open; a file that has been rewritten is opened again."""

    @lru_cache(maxsize=64)
    def kept(path: Path, version: tuple[int, ...]) -> T:
        return opens(path)

    def opened(path: Path) -> T:
        found = path.stat() if path.exists() else None  # `opens` raises the error for a missing file
        return kept(path, (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size) if found else ())

    return opened
