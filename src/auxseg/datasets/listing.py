"""What is known of a data set before any image is decoded: ids, splits, and the paths of images and masks."""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Self

from auxseg.datasets.problems import LISTED, STRICT, Problems
from auxseg.datasets.scan import raw_files
from auxseg.errors import DataError
from auxseg.files import is_clutter
from auxseg.images import PHOTO_SUFFIXES
from auxseg.params.data import DataParams, FolderParams


@dataclass(frozen=True)
class Listed:
    """One listed image: `path` and `mask` are relative to the data root, `where` names the row in messages."""

    id: str
    split: str
    path: str
    mask: str | None
    where: str


class ListedBy(NamedTuple):
    """What an image needs so that it is used, and how to give it that."""

    what: str
    fix: str


BY_ROW = ListedBy("row in the CSV", "add rows")
_BY_ANNOTATION = ListedBy("annotation", "annotate them, without any shape where there is no object")
_LISTED_BY = {
    "class-folders": ListedBy("folder of a class", "move them into one"),
    "cvat": ListedBy("mask", "annotate them and export again, or add a black mask where there is no object"),
    "roboflow-csv": BY_ROW,
}


def way_of_listing(data_format: str) -> ListedBy:
    """Return what lists the images of one of the annotated formats."""
    return _LISTED_BY.get(data_format, _BY_ANNOTATION)


class Folder:
    """Files of one folder by id, which is the file name without its suffix.

    A suffix is a file extension, or more of the name, as in `_mask.png`. `unread` has the files with none of them.
    An id with slashes, `cats/001`, is found in the sub-folder; the ids that `Folder` lists are those of the folder
    itself. macOS may write é as e with an accent (NFD) where a CSV has one character (NFC). Both are the same id.
    """

    def __init__(self, root: Path, relative: str, suffixes: tuple[str, ...], fix: str = "keep one of them"):
        """`fix` is what to do about two files of one id."""
        self.path, self.relative, self.suffixes, self._fix = root / relative, Path(relative), suffixes, fix
        self.unread: list[str] = []
        self._folders: list[str] = []
        self._names = self._listed(self.path, self.unread, self._folders)
        self._inner: dict[str, dict[str, list[str]]] = {}

    def _listed(self, folder: Path, unread: list[str], folders: list[str]) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        endings = tuple(suffix.lower() for suffix in self.suffixes)
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name) if os.path.isdir(folder) else ():  # noqa: PTH112 - says no for a name of 300 bytes
            name, lower = entry.name, entry.name.lower()
            suffix = next((one for one in endings if lower.endswith(one)), "")
            if is_clutter(name):
                continue
            if suffix:
                names.setdefault(unicodedata.normalize("NFC", name[: -len(suffix)]), []).append(name)
            elif os.path.isfile(entry):  # noqa: PTH113 - no error for a loop
                unread.append(name)
            elif os.path.isdir(entry):  # noqa: PTH112 - as above
                folders.append(name)
        return names

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    @property
    def names(self) -> list[str]:
        """The names of the files that have an id."""
        return [name for names in self._names.values() for name in names]

    def of(self, key: str) -> list[str]:
        """Return the names of the files of an id that the folder has."""
        return self._names[key]

    def find(self, image_id: str) -> str | None:
        """Return the file of an id relative to the data root, with forward slashes, or None.

        Raises:
            DataError: two files have this id.
        """
        names = self._found(image_id)
        if len(names) > 1:
            raise DataError(f"{self.path}: '{image_id}' is {' and '.join(names)}; {self._fix}")
        return (self.relative / image_id.rpartition("/")[0] / names[0]).as_posix() if names else None

    def has(self, image_id: str) -> bool:
        """Tell whether an id has a file, or several."""
        return bool(self._found(image_id))

    def _found(self, image_id: str) -> list[str]:
        inner, _, stem = image_id.rpartition("/")
        if inner and inner not in self._inner:
            self._inner[inner] = self._listed(self.path / inner, [], []) if is_inside(image_id) else {}
        listed = self._inner[inner] if inner else self._names
        return listed.get(unicodedata.normalize("NFC", stem), [])

    def others(self, ids: Iterable[str]) -> Iterator[str]:
        """Yield the ids of the files that are not among `ids`."""
        listed = {unicodedata.normalize("NFC", image_id) for image_id in ids}
        return (name for name in self if name not in listed)

    @cached_property
    def inner_files(self) -> list[PurePosixPath]:
        """The files in all sub-folders, sorted by path, which is relative to this folder."""
        above = frozenset({os.path.realpath(self.path)})
        found = (path for name in self._folders for path in sorted(raw_files(self.path / name, above)))
        return [PurePosixPath(path.relative_to(self.path).as_posix()) for path in found]

    def inner_others(self, ids: Iterable[str], masks: "Folder | None" = None) -> Iterator[str]:
        """Yield the ids of files in sub-folders that are not among `ids`.

        Masks are left out, and so are folders without any of `ids` in which files are called as images of this folder:
        these are masks, maps or overlays of theirs.
        """
        listed = {unicodedata.normalize("NFC", image_id) for image_id in ids}
        endings = tuple(suffix.lower() for suffix in self.suffixes)
        found: dict[str, list[str]] = {}
        for path in map(str, self.inner_files):
            ending = next((one for one in endings if path.lower().endswith(one)), "")
            if ending and (masks is None or not masks.is_below(self.path, path)):
                key = unicodedata.normalize("NFC", path[: -len(ending)])
                found.setdefault(key.rpartition("/")[0], []).append(key)
        for keys in found.values():
            others = [key for key in keys if key not in listed]
            if len(others) < len(keys) or not any(key.rpartition("/")[2] in listed for key in keys):
                yield from others

    def is_below(self, folder: Path, path: str) -> bool:
        """Tell whether a file below `folder` is one of this folder's: by place, or by suffix if both are the same."""
        if folder in self.path.parents:
            return (folder / path).is_relative_to(self.path)
        return path.lower().endswith(tuple(suffix.lower() for suffix in self.suffixes))


def require_masks(root: Path, folder: FolderParams) -> None:
    """Check that `data.folder.masks` exists, if it names a folder.

    Raises:
        DataError: it does not.
    """
    if folder.masks is not None:
        require_folder(root / folder.masks, "set data.folder.masks to the folder of masks, or to null")


def mask_folder(root: Path, params: DataParams) -> Folder | None:
    """Return the folder of masks that the parameters name, or None without masks; a missing one has no files."""
    if params.masks is None:
        return None
    fix = f"keep one of them, or set {params.mask_suffix_key} to the extension of those that count"
    return Folder(root, params.masks, params.mask_suffixes, fix)


@dataclass(frozen=True)
class Folders:
    """The folders of images and masks of a data set, each listed once; `masks` is None without masks."""

    photos: Folder
    masks: Folder | None

    @classmethod
    def of(cls, root: Path, params: DataParams) -> Self:
        """List the folders that the parameters name; a missing one has no files."""
        return cls(Folder(root, params.photos, PHOTO_SUFFIXES), mask_folder(root, params))


def is_file_name(image_id: str) -> bool:
    """Tell whether an id can be the name of a file in a folder, without a path that leads out of it."""
    return "/" not in image_id and "\\" not in image_id and not image_id.startswith(".")


def is_inside(image_id: str) -> bool:
    """Tell whether an id with slashes is a path that stays in its folder, without hidden folders."""
    return "\\" not in image_id and all(part and not part.startswith(".") for part in image_id.split("/"))


def locate(
    rows: Iterable[tuple[str, str, str]], photos: Folder, masks: Folder | None, problems: Problems = STRICT
) -> list[Listed]:
    """Find image and mask of every row (id, split, where); leave out rows with a problem, if `problems` collects them.

    Raises:
        DataError: an id cannot be a file name, is listed twice or in both splits, or has no image.
    """
    found: dict[str, Listed] = {}
    lines = []
    for image_id, split, where in rows:
        if not is_file_name(image_id) and (not is_inside(image_id) or not photos.has(image_id)):
            name = re.split(r"[\\/]", image_id)[-1].lstrip(".")
            example = f", '{name}'" if name else ""
            lines.append(
                f"{where}: '{image_id}' cannot be an id; give the file name without folder and extension{example}"
            )
            continue
        key = unicodedata.normalize("NFC", image_id)  # as `Folder` stores it
        if key in found:
            first = found[key]
            twice = "listed twice" if first.split == split else f"in both {first.split} and {split}"
            lines.append(f"{where}: id '{image_id}' is {twice} (first in {first.where}); remove one")
            continue
        path = mask = None
        with problems.of(LISTED):
            path = photos.find(image_id) or ""
            mask = masks.find(image_id) if masks is not None else None
        if path == "":
            lines.append(
                f"{where}: image '{image_id}' is listed, but {photos.path} has no such image "
                f"({', '.join(photos.suffixes)}); add the file or remove the row"
            )
        found[key] = Listed(image_id, split, path or "", mask, where)
    problems.reject(LISTED, lines)
    return [item for item in found.values() if item.path]


def require_folder(path: Path, fix: str) -> None:
    """Check that a folder exists.

    Raises:
        DataError: it does not; the message names the folder and ends with `fix`.
    """
    if not path.is_dir():
        raise DataError(f"{path}: {'not a folder' if path.exists() else 'no such folder'}; {fix}")
