"""What every reader returns, and how it finds the images that an annotation names."""

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from auxseg.counts import are
from auxseg.datasets.listing import Folder
from auxseg.datasets.mask_form import BACKGROUND_NAMES, IGNORE_NAMES, MaskForm
from auxseg.datasets.scan import raw_files
from auxseg.errors import DataError
from auxseg.files import is_clutter, read_json
from auxseg.images import PHOTO_SUFFIXES
from auxseg.params.data import DataParams

BRUSH = re.compile(r"task-\d+-annotation-")
"""How the names of Label Studio's PNGs of masks begin (`task-7-annotation-3-by-me-tag-cat-0.png`)."""


@dataclass(frozen=True)
class Item:
    """One annotated image.

    `path`: of the image, relative to the data root, with forward slashes. `split`: train, val or None. `names`: the
    classes that it shows, `crowds` those of them that it shows as ignored pixels alone. `mask`: of its mask, relative
    to the data root, as `MaskForm` reads it, or None. `where` names the annotation in messages.
    """

    path: str
    split: str | None
    names: tuple[str, ...]
    mask: str | None
    where: str
    crowds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Annotated:
    """A data set as its annotation tool wrote it.

    `names`: its object classes, in the tool's order. `form`: how the masks are stored. `without_image`: names of
    annotated images that are not there. `notes`: what else the user should know. `without_row`: ids of images that
    are left out, besides those that `ImageFiles.others` finds.
    """

    names: tuple[str, ...]
    items: list[Item]
    form: MaskForm
    without_image: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    without_row: tuple[str, ...] = ()


class ImageFiles:
    """The images under the data root, found by the path or the name that an annotation has."""

    def __init__(self, root: Path, folder: str):
        self.root = Path(os.path.abspath(root))  # noqa: PTH100 - resolve() would leave the root through a link
        self.folder = folder if (root / folder).is_dir() else "."

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in sorted(raw_files(self.root)):
            if path.suffix.lower() in PHOTO_SUFFIXES:
                relative = path.relative_to(self.root).as_posix()
                found.setdefault(_composed(path.name), []).append(relative)
        return found

    def find(self, name: str, beside: Path) -> str | None:
        """Return the image that an annotation calls `name`, relative to the data root, or None.

        Args:
            name: a file name or path, also of another machine (`C:\\\\images\\\\a.jpg`).
            beside: the file that has the annotation.

        Raises:
            DataError: several images have this name, and none of them is at the path that the annotation has.
        """
        wanted = PurePosixPath(re.sub(r"^[A-Za-z]:", "", name.strip()).replace("\\", "/").lstrip("/"))
        for base in (beside.parent, self.root / self.folder, self.root):
            path = Path(os.path.abspath(base / wanted))  # noqa: PTH100 - as above
            # os.path says no for a name of 300 bytes, where pathlib raises an error
            if os.path.isfile(path) and path.is_relative_to(self.root):  # noqa: PTH113
                return path.relative_to(self.root).as_posix()
        same_name = self._by_name.get(_composed(wanted.name), [])
        same_path = [path for path in same_name if path.endswith(f"/{_composed(str(wanted))}")]
        for found in (same_path, same_name):
            if len(found) == 1:
                return found[0]
        if same_name:
            raise DataError(
                f"{beside}: image '{name}' could be {' or '.join(same_name[:3])}; keep one, or write the path from "
                f"{beside.parent} into the annotation"
            )
        return None

    def others(self, items: Iterable[Item], masks: Folder | None) -> tuple[list[str], list[str]]:
        """Return the ids of images that no item names, and the paths of files that are not read as an image.

        Looked through are the folder of images, if there is one, and the folders in which items have their images.

        Args:
            items: the annotated images.
            masks: a folder of masks, whose files are not meant.
        """
        listed, folders = set(), set() if self.folder == "." else {PurePosixPath(self.folder)}
        known = set() if masks is None else {(masks.relative / name).as_posix() for name in masks.names}
        for item in items:
            listed.add(_composed(self.id_of(item.path)))
            folders.add(PurePosixPath(item.path).parent)
            known.add(item.mask or "")
        unlisted, unread = [], []
        for path in sorted(path for folder in folders for path in (self.root / folder).iterdir()):
            relative = path.relative_to(self.root).as_posix()
            if relative in known or is_clutter(path.name) or BRUSH.match(path.name) or not path.is_file():
                continue
            if path.suffix.lower() not in PHOTO_SUFFIXES:
                unread.append(relative)
            elif _composed(self.id_of(relative)) not in listed:
                unlisted.append(self.id_of(relative))
        return unlisted, unread

    def id_of(self, path: str) -> str:
        """Return the id of an image: its path in the folder of images, or else in the data root, without extension."""
        inner = PurePosixPath(path)
        if self.folder != "." and inner.is_relative_to(self.folder):
            inner = inner.relative_to(self.folder)
        return str(inner.with_suffix(""))


def photo_folder(root: Path, params: DataParams) -> str:
    """Return the folder of images, `data.folder.images`; JPEGImages of an unpacked export of CVAT.

    In an export of Roboflow it is the data root, because each split has a folder of its own there.
    """
    if params.format == "roboflow-csv":
        return "."
    is_export = params.format == "cvat" and (root / "JPEGImages").is_dir()
    return "JPEGImages" if is_export else params.folder.images


def check_images_are_there(root: Path, params: DataParams, found: int, missing: Sequence[str]) -> None:
    """Check that most of the annotated images are in the data root.

    Raises:
        DataError: there is no annotated image, or more are missing than are there.
    """
    if not found and not missing:
        raise DataError(f"{root}: no image is annotated; annotate some and export them again, or set data.annotations")
    if len(missing) > found:
        total = found + len(missing)
        share = f"only {found} of the {total}" if found else f"none of the {total}"
        there = f"{are(max(found, 1))} there (first missing: '{missing[0]}')"
        place = root / photo_folder(root, params)
        raise DataError(f"{root}: {share} annotated images {there}; put the images into {place}")


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def object_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that are object classes, each once, without those that mean background or ignore."""
    return tuple(dict.fromkeys(n for n in names if n.casefold() not in (*BACKGROUND_NAMES, *IGNORE_NAMES)))


def split_of(*texts: str) -> str | None:
    """Return the split that a file or folder is named after: `instances_val2017`, `valid/…`, or None."""
    words = {word for text in texts for word in re.split(r"[^a-z]+", text.lower())}
    if words & {"val", "valid", "validation", "test"}:
        return "val"
    return "train" if words & {"train", "training"} else None


def json_files(root: Path, given: str | None, is_ours: Callable[[Path], bool]) -> list[Path]:
    """Return the JSON files of a tool, sorted: those that `given` names, or those in the root and one folder below it.

    Args:
        root: the data root.
        given: `data.annotations`, a file or a folder.
        is_ours: tells the tool's files from others, where none are given.
    """
    if given is not None:
        path = root / given
        return [one for one in sorted(path.glob("*.json")) if not is_clutter(one.name)] if path.is_dir() else [path]
    found = sorted([*root.glob("*.json"), *root.glob("*/*.json")])
    return [path for path in found if not is_clutter(path.name) and is_ours(path)]


def read_annotations(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        DataError: the file is missing, or is not JSON in UTF-8.
    """
    try:
        return read_json(path, "export it again")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; add it, or set data.annotations") from None
