"""Which files of the folders of masks and images belong to a listed image, and what is said about the others."""

import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from auxseg.counts import are, counted
from auxseg.datasets.listing import Folder, Folders, Listed
from auxseg.datasets.other_tables import unread_tables
from auxseg.errors import DataError
from auxseg.images import PHOTO_SUFFIXES
from auxseg.params.data import DEFAULT_MASKS, MASK_EXTENSIONS, DataParams, with_mask_extensions

_NOT_IMAGES = """
.txt .csv .tsv .json .jsonl .xml .yaml .yml .md .ini .db .log .toml .html .pdf .docx .xls .xlsx .ods .parquet
.zip .tar .gz .7z .py .ipynb .sh .m .mat .npy .npz .pt .pth .pkl
"""
NOT_IMAGES = frozenset(("", *_NOT_IMAGES.split()))
"""Extensions of files that people keep beside images on purpose; files without one too."""

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
    warnings = [*_unread(photos, masks, listed), *unread_tables(root, params, listed)]
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
    line = f"{params.masks}: {matched} of {counted(total, 'file is a mask', 'files are masks')} of listed images"
    if not stray:
        if not matched and is_named:
            none = f"none of its {total} masks is of a listed image" if total > 1 else "its mask is of no listed image"
            raise DataError(f"{masks.path}: {none}; correct {key}")
        return Matches((line,), tuple(warnings))
    matching = {name: one for one in masks if one not in unlisted for name in masks.of(one)}
    first, advice = _advice(stray, matching, photos, masks, params.mask_suffix_key)
    match = "matches" if len(stray) == total == 1 else "match"
    problem = f"{len(stray)} of {counted(total, 'file')} {match} no image, the first is '{first}'; {advice}"
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
            files = counted(found, "file has", "files have")
            yield (
                f"{folder.name}: {files} the name of a listed image and {are(found)} not read; to "
                f"measure with masks, set data.folder.masks to {folder.name}, and data.classes to their mask values"
            )


def _unread(photos: Folder, masks: Folder | None, listed: Set[str]) -> Iterator[str]:
    beside = set(masks.names) if masks is not None and masks.path == photos.path else ()
    folders = {image_id.rpartition("/")[0] for image_id in listed} - {""}
    inner = (path for path in (photos.inner_files if folders else ()) if path.suffix.lower() not in photos.suffixes)
    unread = [*photos.unread, *(str(path) for path in inner if str(path.parent) in folders)]
    yield from unread_images(str(photos.relative), [name for name in unread if name not in beside])


def unread_images(folder: str, names: Sequence[str]) -> Iterator[str]:
    """Yield a warning if there are files in a folder of images that are not read, and not kept there on purpose."""
    others = [name for name in names if Path(name).suffix.lower() not in NOT_IMAGES]
    if others:
        count = counted(len(others), "file is", "files are")
        yield (
            f"{folder}: {count} not read as an image, the first is '{others[0]}'; save such images as "
            f"{', '.join(PHOTO_SUFFIXES)}"
        )


def _advice(
    stray: Sequence[str], matching: Mapping[str, str], photos: Folder, masks: Folder, key: str
) -> tuple[str, str]:
    """Return a file that matches no image, and what to do about it and those like it.

    The advice follows the majority: a suffix that only one file has would leave the masks of all others unmatched.

    Args:
        stray: the files that match no image.
        matching: those that are masks of images, and their images.
        photos: the folder of images.
        masks: the folder of masks.
        key: the parameter with the suffix of masks.
    """
    owner = {name: image for name in stray if (image := _image_of(name, photos))}
    if not owner:
        return stray[0], _other_name(stray[0], photos, masks)
    endings = Counter(name[len(image) :] for name, image in owner.items())
    ending, count = endings.most_common(1)[0]
    first = next(name for name, image in owner.items() if name == image + ending)
    extension = Path(first).suffix
    every = with_mask_extensions(ending.removesuffix(extension))
    if len(matching) >= count and masks.has(owner[first]):
        (mask, *_) = masks.of(unicodedata.normalize("NFC", owner[first]))
        return first, f"its image '{owner[first]}' has the mask '{mask}', so nothing reads this file: remove it"
    if extension.lower() in (".jpg", ".jpeg"):
        return first, f"a JPEG changes mask values: make the masks again without loss, as {_forms(masks.suffixes)}"
    if extension.lower() not in MASK_EXTENSIONS:
        return first, f"{extension} is not read as a mask: save it as {_forms(masks.suffixes)}"
    if masks.suffixes != every and set(masks.suffixes) <= set(every):  # only the extension differs
        return first, f"set {key} to '{ending.removesuffix(extension)}', which reads {_forms(every)}"
    if len(matching) >= count:
        return first, _rename(first, owner[first], count, matching, masks)
    others = {name: image for name, image in {**owner, **matching}.items() if image + ending not in owner}
    advice = f"if masks are called <id>{ending}, set {key} to {ending}"
    if others:
        odd, image = next(iter(others.items()))
        advice += f", and rename {counted(len(others), 'other')}, such as '{odd}' to '{image}{ending}'"
    return first, advice


def _image_of(name: str, photos: Folder) -> str:
    """Return the image whose id a file name begins with, or ''."""
    # what follows the id begins with a separator: 1 is not the image of 17_mask.png
    fitting = [end for end in range(1, len(name)) if name[end] in "._- " and photos.has(name[:end])]
    return name[: fitting[-1]] if fitting else ""


def _forms(suffixes: Sequence[str]) -> str:
    return ", ".join(f"<id>{suffix}" for suffix in suffixes)


def _rename(name: str, image: str, count: int, matching: Mapping[str, str], masks: Folder) -> str:
    usual = Counter(mask[len(of) :] for mask, of in matching.items()).most_common(1)[0][0]
    others = f"{counted(len(matching), 'other is', 'others are')} called <id>{usual}"
    extension = Path(name).suffix.lower()
    kept = next((suffix for suffix in masks.suffixes if suffix.lower().endswith(extension)), "")
    right = f"rename '{name}' to '{image}{kept}'" if kept else f"save '{name}' as '{image}{masks.suffixes[0]}'"
    return f"{others}: {right}" + (f", and {count - 1} more like it" if count > 1 else "")


def _other_name(stray: str, photos: Folder, masks: Folder) -> str:
    same = {image.casefold(): image for image in photos}
    for suffix in masks.suffixes:
        if stray.lower().endswith(suffix.lower()) and (image := same.get(stray[: -len(suffix)].casefold())):
            return f"its image is '{image}': write both in the same case"
    return f"name masks <id>{masks.suffixes[0]}, after their images"


def _nearest(root: Path, relative: str) -> str:
    parent = (root / relative).parent
    names = sorted(path.name for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []
    near = difflib.get_close_matches(Path(relative).name, names, n=1)
    return f"did you mean '{near[0]}'? " if near and near[0] != Path(relative).name else ""
