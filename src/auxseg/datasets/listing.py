"""What a reader finds before anything is decoded: ids, splits, and where photo and mask are."""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from auxseg.errors import DataError
from auxseg.images import PHOTO_SUFFIXES


@dataclass(frozen=True)
class Listed:
    """One listed image: `path` and `mask` relative to the data root, `where` the row, for messages."""

    id: str
    split: str
    path: str
    mask: str | None
    where: str


def refuse(problems: Iterable[str]) -> None:
    """Raise the first problem, with the number of the others.

    Raises:
        DataError: there is a problem.
    """
    problems = list(problems)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise DataError(problems[0] + more)


class Folder:
    """Files of one folder by id: file names without their ending. Sub-folders are not looked into.

    A name that was packed on a Mac has é as e and an accent (NFD), a CSV as one character (NFC): both are one id.
    """

    def __init__(self, root: Path, relative: str, suffixes: tuple[str, ...]):
        self.path, self.relative, self.suffixes = root / relative, Path(relative), suffixes
        self._names: dict[str, list[str]] = {}
        if self.path.is_dir():
            for name in sorted(entry.name for entry in os.scandir(self.path)):
                stem, suffix = os.path.splitext(name)  # noqa: PTH122 - Path is slow for 40,000 names
                if suffix.lower() in suffixes and not name.startswith("."):
                    self._names.setdefault(unicodedata.normalize("NFC", stem), []).append(name)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def find(self, image_id: str) -> str | None:
        """Return the file of an id relative to the data root, with forward slashes, or None.

        Raises:
            DataError: two files have this id.
        """
        names = self._names.get(unicodedata.normalize("NFC", image_id), [])
        if len(names) > 1:
            raise DataError(f"{self.path}: '{image_id}' is {' and '.join(names)}; keep one of them")
        return (self.relative / names[0]).as_posix() if names else None

    def others(self, ids: Iterable[str]) -> Iterator[str]:
        """Yield the ids of the files that are not among `ids`."""
        listed = {unicodedata.normalize("NFC", image_id) for image_id in ids}
        return (name for name in self if name not in listed)


def is_file_name(image_id: str) -> bool:
    """Tell whether an id can be the name of a file in a folder: it leads nowhere else."""
    return "/" not in image_id and "\\" not in image_id and not image_id.startswith(".")


def locate(rows: Iterable[tuple[str, str, str]], photos: Folder, masks: Folder | None) -> list[Listed]:
    """Find photo and mask of every row (id, split, where).

    Raises:
        DataError: an id that cannot be a file name, is listed twice or in both splits, or has no photo.
    """
    found: dict[str, Listed] = {}
    problems = []
    for image_id, split, where in rows:
        if not is_file_name(image_id):
            name = re.split(r"[\\/]", image_id)[-1].lstrip(".")
            example = f", '{name}'" if name else ""
            problems.append(
                f"{where}: '{image_id}' cannot be an id; give the photo's name without folder and ending{example}"
            )
            continue
        key = unicodedata.normalize("NFC", image_id)  # by which photos are found
        if key in found:
            first = found[key]
            twice = "listed twice" if first.split == split else f"in both {first.split} and {split}"
            problems.append(f"{where}: id '{image_id}' is {twice} (first in {first.where}); remove one")
            continue
        path = photos.find(image_id)
        if path is None:
            problems.append(
                f"{where}: image '{image_id}' is listed, but {photos.path} has no such photo "
                f"({', '.join(photos.suffixes)}); add the file or remove the row"
            )
            path = ""
        mask = masks.find(image_id) if masks is not None else None
        found[key] = Listed(image_id, split, path, mask, where)
    refuse(problems)
    return list(found.values())


def require_folder(path: Path, mend: str) -> None:
    """Refuse a folder that does not exist.

    Raises:
        DataError: names the folder and says `mend`.
    """
    if not path.is_dir():
        raise DataError(f"{path}: {'a file, no folder' if path.exists() else 'no such folder'}; {mend}")


PHOTOS = PHOTO_SUFFIXES
MASKS = (".png",)
