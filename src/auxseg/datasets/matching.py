"""Which files of the folders of masks and images belong to a listed image, and what is said about the others."""

import difflib
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from auxseg.datasets.listing import Folder, Folders, Listed
from auxseg.datasets.other_tables import unread_tables
from auxseg.errors import DataError
from auxseg.params.data import DEFAULT_MASKS, MASK_EXTENSIONS, DataParams

NOT_IMAGES = frozenset({".txt", ".csv", ".json", ".xml", ".yaml", ".yml", ".md", ".ini", ".db"})
"""Extensions of files that people keep beside images on purpose."""

_MASKS = re.compile(r"mask|segm|label|annot|truth|^gt", re.I)
"""What people call folders of masks."""


@dataclass(frozen=True)
class Matches:
    """`lines`: how many files of the folder of masks match; `warnings`: files that nothing reads or matches."""

    lines: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def match_files(root: Path, params: DataParams, images: Sequence[Listed], folders: Folders) -> Matches:
    """Compare the folders of images and masks with the listed images.

    The default folder of VOC's layout may be missing or empty, because masks are optional there.

    Raises:
        DataError: the folder of masks that is named is missing or empty, or none of its files matches an image.
    """
    photos, masks = folders.photos, folders.masks
    listed = {item.id for item in images}
    warnings = [*_unread(photos, masks), *unread_tables(root, params, listed)]
    if masks is None or params.masks is None:
        return Matches((), (*warnings, *_unnamed_masks(root, params, listed)))
    key = "data.folder.masks" if params.format == "folder" else "data.mask_folder"
    is_named = params.masks != DEFAULT_MASKS
    unread = [] if masks.path == photos.path else masks.unread  # masks beside the images
    files = sorted([*masks.names, *unread])
    inner = sum(item.mask is not None and "/" in item.id for item in images)
    if not files and not inner:
        problem = f"{masks.path}: {'no file in it' if masks.path.is_dir() else 'no such folder'}"
        if is_named:
            raise DataError(f"{problem}; {_nearest(root, params.masks)}add masks, or correct {key}")
        return Matches((), (*warnings, f"{problem}: there are no masks, so no mIoU will be measured"))
    unlisted = set(masks.others(listed))
    matched, total = len(masks) - len(unlisted) + inner, len(files) + inner
    stray = sorted([*(name for one in unlisted if photos.find(one) is None for name in masks.of(one)), *unread])
    line = f"{params.masks}: {matched} of {total} files are masks of listed images"
    if not stray:
        if not matched and is_named:
            raise DataError(f"{masks.path}: none of its {total} masks is of a listed image; correct {key}")
        return Matches((line,), tuple(warnings))
    problem = f"{len(stray)} of {total} files match no image, the first is '{stray[0]}'; " + _advice(
        stray[0], photos, masks, params.mask_suffix_key
    )
    if not matched:
        raise DataError(f"{masks.path}: {problem}")
    return Matches((line,), (*warnings, f"{params.masks}: {problem}"))


def _unnamed_masks(root: Path, params: DataParams, ids: Set[str]) -> Iterator[str]:
    """Yield a warning for each folder of masks that `data.folder.masks` could name; folders of maps look alike."""
    if params.format != "folder":
        return
    folders = [path for path in sorted(root.iterdir()) if path.is_dir() and _MASKS.search(path.name)]
    for folder in folders:
        found = sum(path.suffix.lower() in MASK_EXTENSIONS and path.stem in ids for path in folder.iterdir())
        if found and folder != root / params.photos:
            files = "1 file has" if found == 1 else f"{found} files have"
            yield (
                f"{folder.name}: {files} the name of a listed image and {'is' if found == 1 else 'are'} not read; to "
                f"measure with masks, set data.folder.masks to {folder.name}, and data.classes to their mask values"
            )


def _unread(photos: Folder, masks: Folder | None) -> Iterator[str]:
    beside = set(masks.names) if masks is not None and masks.path == photos.path else ()
    others = [name for name in photos.unread if Path(name).suffix.lower() not in NOT_IMAGES and name not in beside]
    if others:
        count = "1 file is" if len(others) == 1 else f"{len(others)} files are"
        yield (
            f"{photos.relative}: {count} not read as an image, the first is '{others[0]}'; save such images as "
            f"{', '.join(photos.suffixes)}"
        )


def _advice(stray: str, photos: Folder, masks: Folder, key: str) -> str:
    """Return what to do about a file that matches no image."""
    named = [f"<id>{suffix}" for suffix in masks.suffixes]
    # what follows the id begins with a separator: 1 is not the image of 17_mask.png
    fitting = [image for image in photos if stray.startswith(image) and stray[len(image) :][:1] in tuple("._- ")]
    if fitting:
        rest = stray[len(max(fitting, key=len)) :]
        if rest.lower().endswith(MASK_EXTENSIONS):
            return f"if masks are called <id>{rest}, set {key} to {rest}"
        return f"{Path(stray).suffix} is not read as a mask: save it as {', '.join(named)}"
    same = {image.casefold(): image for image in photos}
    for suffix in masks.suffixes:
        if stray.lower().endswith(suffix.lower()) and (image := same.get(stray[: -len(suffix)].casefold())):
            return f"its image is '{image}': write both in the same case"
    return f"a mask is called {named[0]}, as its image"


def _nearest(root: Path, relative: str) -> str:
    parent = (root / relative).parent
    names = sorted(path.name for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []
    near = difflib.get_close_matches(Path(relative).name, names, n=1)
    return f"did you mean '{near[0]}'? " if near and near[0] != Path(relative).name else ""
