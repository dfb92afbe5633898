"""The VOC devkit's layout.

JPEGImages/<id>.jpg             images; .png and other formats too
SegmentationClass/<id>.png      masks (`data.mask_folder`), optional, for all images or for some
ImageSets/Segmentation/<split>.txt   ids, one per line
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from auxseg.datasets.listing import Folders, Listed, locate, require_folder
from auxseg.datasets.problems import LISTED, ROWS, STRICT, Problems
from auxseg.datasets.tags import Tags, first_value, listed_id, numbered_id
from auxseg.errors import DataError
from auxseg.files import read_text
from auxseg.params.data import DataParams

LISTS = Path("ImageSets/Segmentation")


def list_voc(root: Path, params: DataParams, folders: Folders, problems: Problems = STRICT) -> list[Listed]:
    """Return the images of the two lists; their `split` is `train` or `val`, whatever the lists are called.

    With `data.score_split`, training images outside that list get no mask, so that no stage can measure on them.

    Raises:
        DataError: a folder, list or image is missing, an id is listed twice or in both lists, or an id to be scored is
            not in the training list or has no mask.
    """
    require_folder(
        root / params.photos, "a data root in VOC layout contains JPEGImages and ImageSets; set the data root to it"
    )
    rows = [
        (key, "train", where) for key, where in _read_list(root, params, params.train_split, "train_split", problems)
    ]
    if params.val_split is not None:
        found = _read_list(root, params, params.val_split, "val_split", problems)
        rows += [(key, "val", where) for key, where in found]
    images = locate(rows, folders.photos, folders.masks, problems)
    if params.score_split is None:
        return images
    scored = dict(_read_list(root, params, params.score_split, "score_split", problems))
    problems.reject(LISTED, _wrongly_scored(scored, images, params))
    return [replace(item, mask=None) if item.split == "train" and item.id not in scored else item for item in images]


def _wrongly_scored(scored: dict[str, str], images: list[Listed], params: DataParams) -> Iterator[str]:
    train = {item.id: item for item in images if item.split == "train"}
    for key, where in scored.items():
        if key not in train:
            yield (
                f"{where}: '{key}' is to be scored but is not in {params.train_split}.txt; data.score_split must be a "
                "part of data.train_split"
            )
        elif train[key].mask is None:
            yield (
                f"{where}: '{key}' is to be scored but {params.mask_folder} has no mask of it; add the mask, or "
                "correct data.score_split"
            )


def _numbered(line: str, where: str) -> tuple[str, list[int]]:
    entry = numbered_id(line)
    if entry is None:
        raise DataError(f"{where}: expected an id and class numbers, as in `2007_000032 0 14`, not '{line}'")
    return entry


def _read_list(root: Path, params: DataParams, split: str, key: str, problems: Problems) -> list[tuple[str, str]]:
    found = []
    for line, where in _read_lines(root, split, key):
        with problems.of(LISTED):
            found.append((_numbered(line, where)[0] if params.labels == "lists" else listed_id(line), where))
    return found


def _read_lines(root: Path, split: str, key: str) -> Iterator[tuple[str, str]]:
    path = root / LISTS / f"{split}.txt"
    try:
        lines = read_text(path).splitlines()
    except FileNotFoundError:
        there = ", ".join(sorted(other.stem for other in path.parent.glob("*.txt"))) or "none"
        raise DataError(f"{path}: no such list; add it, or set data.{key} to one that exists ({there})") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield line, f"{path} line {number}"


def list_tags(
    root: Path, params: DataParams, names_by_value: Mapping[int, str], problems: Problems = STRICT
) -> dict[str, Tags]:
    """Read image-level labels from the lists: class numbers behind the ids.

    k is the class with mask value k + 1, or k where 0 is the value of a class.

    Raises:
        DataError: a line has something else than numbers behind the id, or a number has no class.
    """
    tags: dict[str, Tags] = {}
    for split, key in ((params.train_split, "train_split"), (params.val_split, "val_split")):
        for line, where in () if split is None else _read_lines(root, split, key):
            with problems.of(ROWS):
                image_id, numbers = _numbered(line, where)
                tags[image_id] = Tags(_named(numbers, names_by_value, where), where)
    return tags


def _named(numbers: list[int], names_by_value: Mapping[int, str], where: str) -> tuple[str, ...]:
    first = first_value(names_by_value)
    if unknown := [number for number in numbers if number + first not in names_by_value]:
        raise DataError(
            f"{where}: class number {unknown[0]} has no class; numbers count from 0, and data.classes has mask "
            f"values {min(names_by_value)}..{max(names_by_value)}"
        )
    return tuple(names_by_value[number + first] for number in numbers)
