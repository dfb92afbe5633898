"""What a disk may hold after the machine has lost its power, for all that was done to a folder.

A kernel promises little. What a file holds is on the disk only after the file was flushed; before, it may hold any
state since its last flush, or nothing, a part, or zeros. The same goes for the names in a folder: of the changes since
its last flush, any may be there and any may be missing. `Disk` watches a folder while code writes into it, and lists
what a name may then stand for, at every moment. Libraries need not tell it what they do: it looks at the folder itself
before and after every call of Python that flushes, renames, makes or removes.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

State = bytes | frozenset | None
"""What a name stands for: the content of a file, the names in a folder with their states, or None for nothing."""
CALLS = ("fsync", "replace", "rename", "unlink", "remove", "rmdir", "mkdir", "link", "symlink")
MOST = 14
"""Changes of one folder since its last flush, of which all subsets are tried."""


class _File:
    def __init__(self, content: bytes):
        self.versions, self.flushed = [content], False

    def flush(self) -> None:
        self.versions, self.flushed = self.versions[-1:], True

    def states(self) -> set[State]:
        if self.flushed and len(self.versions) == 1:
            return {self.versions[0]}
        last = self.versions[-1]
        return {*self.versions, b"", last[: len(last) // 2], bytes(len(last))}


class _Folder:
    def __init__(self) -> None:
        self.base: dict[str, Any] = {}
        self.changes: list[tuple[str, Any]] = []

    def names(self, changes: tuple[tuple[str, Any], ...] | None = None) -> dict[str, Any]:
        found = dict(self.base)
        for name, one in self.changes if changes is None else changes:
            found[name] = one
        return {name: one for name, one in found.items() if one is not None}

    def flush(self) -> None:
        self.base, self.changes = self.names(), []

    def maybe(self) -> Iterator[dict[str, Any]]:
        """Yield all names that the disk may have, with what they stand for."""
        assert len(self.changes) <= MOST, [name for name, _ in self.changes]
        for keep in itertools.product((True, False), repeat=len(self.changes)):
            yield self.names(tuple(itertools.compress(self.changes, keep)))

    def states(self) -> set[State]:
        found: set[State] = set()
        for names in self.maybe():
            each = [[(name, state) for state in one.states()] for name, one in names.items()]
            found.update(map(frozenset, itertools.product(*each)))
        return found


class Disk:
    """A folder that is watched. All that is in it at the start is on the disk."""

    def __init__(self, root: Path, monkeypatch: Any):
        self.root, self._known, self._open = root, {}, []
        self.moments: list[tuple[str, dict[Path, set[State]]]] = []
        self._watched: list[Path] = []
        self._look()
        for one in self._known.values():
            one.flush()
        for name in CALLS:
            monkeypatch.setattr(os, name, self._around(name, getattr(os, name)))

    def watch(self, path: Path) -> None:
        """Note from now on what a path may stand for."""
        self._watched.append(path)

    def may_be(self, path: Path) -> set[State]:
        """Return what a path may stand for if the power goes now."""
        self._look()
        return self._after(self._known[_identity(self.root.stat())], path.relative_to(self.root).parts)

    def _after(self, one: Any, parts: tuple[str, ...]) -> set[State]:
        if not parts:
            return set(one.states())
        inner = [names.get(parts[0]) for names in one.maybe()]
        return set().union(*(({None} if found is None else self._after(found, parts[1:])) for found in inner))

    def _around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def around(*arguments: Any, **options: Any) -> Any:
            self._note(f"before {name}")
            result = call(*arguments, **options)
            if name == "fsync":
                self._known[_identity(os.fstat(arguments[0]))].flush()
            self._note(f"after {name}")
            return result

        return around

    def _note(self, moment: str) -> None:
        self.moments.append((moment, {path: self.may_be(path) for path in self._watched}))

    def _look(self) -> None:
        """Compare the folder with what is known, and note what is new."""
        for base, folders, files in os.walk(self.root):
            entries = {name: self._object(Path(base, name)) for name in (*folders, *files)}
            folder = self._object(Path(base))
            before = folder.names()
            folder.changes += [(name, None) for name in before if name not in entries]
            folder.changes += [(name, one) for name, one in entries.items() if before.get(name) is not one]

    def _object(self, path: Path) -> Any:
        identity = _identity(path.stat())
        if identity not in self._known:
            self._open.append(os.open(path, os.O_RDONLY))  # so that no other file gets its number
            self._known[identity] = _Folder() if path.is_dir() else _File(path.read_bytes())
        one = self._known[identity]
        if isinstance(one, _File) and (content := path.read_bytes()) != one.versions[-1]:
            one.versions.append(content)
        return one

    def close(self) -> None:
        """Let go of the files."""
        for descriptor in self._open:
            os.close(descriptor)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def real(path: Path) -> State:
    """Return what a path stands for now."""
    if path.is_dir():
        return frozenset((one.name, real(one)) for one in path.iterdir())
    return path.read_bytes() if path.exists() else None
