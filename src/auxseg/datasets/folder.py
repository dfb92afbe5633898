"""A plain folder of images with a CSV `image_id,labels[,split][,group]`, which lists the images to use."""

import contextlib
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from auxseg.counts import counted
from auxseg.datasets.listing import (
    Folder,
    Folders,
    Listed,
    is_file_name,
    is_inside,
    locate,
    require_folder,
    require_masks,
)
from auxseg.datasets.manifest import SPLITS
from auxseg.datasets.problems import ROWS, STRICT, WHOLE, Problems
from auxseg.datasets.splits import Candidate, split_images
from auxseg.datasets.tag_cells import APOSTROPHES, QUOTES
from auxseg.datasets.tags import Tags
from auxseg.errors import DataError
from auxseg.params.data import FolderParams


@dataclass(frozen=True)
class FolderListing:
    """The images that are both in the CSV and in the folder, and the ids that are only in one of them.

    `hint` is a possible reason why a row has no image, with an example, or empty.
    """

    images: list[Listed]
    without_image: tuple[str, ...] = ()
    without_row: tuple[str, ...] = ()
    hint: str = ""


def list_folder(
    root: Path,
    params: FolderParams,
    tags: Mapping[str, Tags],
    source: Path,
    folders: Folders,
    problems: Problems = STRICT,
) -> FolderListing:
    """Return the images of the CSV's rows; without a column `split`, a hash of the id chooses the validation images.

    With a column `group`, the hash is that of the group. Of few groups none may be chosen by it; then the one with the
    smallest hash is. Files with the same bytes are in one split, as `split_images` says.

    Rows without an image are left out, because images get deleted. If more than half of the rows have no image, the
    ids do not match the file names, which is an error.

    Raises:
        DataError: a missing folder, more than half of the rows without an image, an id that cannot be a file name,
            or a split other than train and val.
    """
    require_folder(root / params.images, "set data.folder.images to the folder of images, relative to the data root")
    require_masks(root, params)
    problems.reject(
        ROWS,
        (
            f"{row.where}: split '{row.split}' of '{key}' is neither train nor val; write one of them"
            for key, row in tags.items()
            if row.split not in (None, *SPLITS)
        ),
    )
    tags = {key: row for key, row in tags.items() if row.split in (None, *SPLITS)}
    photos, masks = folders.photos, folders.masks
    # what cannot be an id at all is rejected by `locate`
    missing = [key for key in tags if _can_be_id(key, photos) and not photos.has(key)]
    hint = _near_miss(missing, photos)
    if missing and 2 * len(missing) > len(tags):
        problems.reject(WHOLE, [_too_few(source, tags, missing, photos, hint)])
    share = params.val_fraction(can_validate=masks is not None)
    splits = split_images(
        {key: _candidate(root, key, row, photos, masks) for key, row in tags.items()},
        share,
        # unless the user sets a share, only images with a mask, and the others of their origin, are taken from training
        mask_needed=params.val_share is None,
        one_at_least=any(row.group for row in tags.values()),
    )
    rows = [(key, splits[key], row.where) for key, row in _without(tags, missing)]
    images = locate(rows, photos, masks, problems)
    return FolderListing(images, tuple(missing), (*photos.others(tags), *photos.inner_others(tags, masks)), hint)


def _candidate(root: Path, key: str, row: Tags, photos: Folder, masks: Folder | None) -> Candidate:
    file = None
    with contextlib.suppress(DataError):  # two files of one id: `locate` says so
        file = photos.find(key) if _can_be_id(key, photos) else None
    has_mask = masks is not None and masks.has(key)
    return Candidate(root / file if file else root / "-", has_mask, row.split, row.group)


def _can_be_id(key: str, photos: Folder) -> bool:
    """Tell whether a row has the form of an id; `images/a` has not if a is in the folder itself."""
    return is_file_name(key) or (is_inside(key) and not photos.has(key.rpartition("/")[2]))


def _without(tags: Mapping[str, Tags], missing: Iterable[str]) -> list[tuple[str, Tags]]:
    left_out = set(missing)
    return [(key, row) for key, row in tags.items() if key not in left_out]


def _too_few(source: Path, tags: Mapping[str, Tags], missing: Sequence[str], photos: Folder, hint: str) -> str:
    found = len(tags) - len(missing)
    rows = f"of {len(tags)} rows"
    share = f"only {counted(found, f'{rows} has', f'{rows} have')}" if found else "no row has"
    head = f"{source}: {share} an image in {photos.path}"
    if not found and not len(photos):
        return f"{head}, which contains no image ({', '.join(photos.suffixes)}); " + (hint or "put them there")
    others = (*photos.others(tags), *photos.inner_others(tags), *photos, *tags)
    file = next(filter(None, map(photos.find, others)), "")
    file = Path(file).relative_to(photos.relative).as_posix()
    how = hint or "write the file names into the column image_id, or set data.folder.images"
    return f"{head}: {_line(tags[missing[0]])} has '{missing[0]}', a file is '{file}'; {how}"


def _line(row: Tags) -> str:
    """Return where a row is in its file: `line 7` of a CSV, `entry 'a'` of a JSON."""
    _, word, place = re.split(r" (line|entry) ", row.where, maxsplit=1)
    return f"{word} {place}"


def _near_miss(missing: Sequence[str], photos: Folder) -> str:
    """Return a hint for the first id whose file is written otherwise or lies in a sub-folder; empty if none is."""
    if not missing:
        return ""
    by_case = {key.casefold(): key for key in photos}
    by_number = {key.lstrip("0"): key for key in photos if key.isdecimal()}
    for key in missing:
        if near := by_case.get(key.casefold()):
            return f"'{key}' is '{near}' in the folder: write it in the same case"
        if near := by_case.get(unquote(key).casefold()):
            return f"'{key}' is '{near}' in the folder: write it without percent signs, as the file is called"
        if near := by_case.get(_visible(key).casefold()):
            return f"'{_escaped(key)}' is '{near}' in the folder: remove the quotes or invisible characters"
        if near := by_number.get(re.sub(r"\.0+$", "", key).lstrip("0")):
            return (
                f"'{key}' is '{near}' in the folder: a spreadsheet has changed the numbers; format the column as text "
                "and write the file names"
            )
    wanted = set(missing)
    for folder, _, names in os.walk(photos.path):
        for name in sorted(names):
            stem, suffix = os.path.splitext(name)  # noqa: PTH122 - as in `Folder`
            if stem in wanted and suffix.lower() in (*photos.suffixes, ".gif", ".heic", ".avif"):
                path = (Path(folder) / name).relative_to(photos.path)
                if len(path.parts) > 1:
                    id_ = path.with_suffix("").as_posix()
                    return (
                        f"'{stem}' is in a sub-folder, {path}: put the images into the folder itself, or write '{id_}'"
                    )
                return f"'{stem}' is there as {name}, which cannot be read: save it as {', '.join(photos.suffixes)}"
    return ""


def _visible(key: str) -> str:
    """Return an id without quotes around it and without characters that are not seen, such as a zero-width space."""
    return "".join(mark for mark in key if not _is_hidden(mark)).strip(QUOTES + APOSTROPHES + " ")


def _escaped(key: str) -> str:
    return "".join(f"\\u{ord(mark):04x}" if _is_hidden(mark) else mark for mark in key)


def _is_hidden(mark: str) -> bool:
    return unicodedata.category(mark) == "Cf"
