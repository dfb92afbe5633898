"""A COCO JSON file: images, categories and annotations, whatever tool wrote it."""

import functools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auxseg.counts import and_more, counted
from auxseg.datasets.annotations.annotated import read_annotations
from auxseg.datasets.annotations.drawing import size_of
from auxseg.errors import DataError, quote, shorten

CATEGORIES = 8
"""Number of categories that a message names."""


@dataclass(frozen=True)
class CocoFile:
    """The content of a file. `names`: category id -> name; `annotations`: image id -> its annotations. `notes`: what is
    odd in it."""

    names: Mapping[int, str]
    images: Mapping[str, Mapping[str, Any]]
    annotations: Mapping[str, tuple[Mapping[str, Any], ...]]
    notes: tuple[str, ...] = ()


def is_coco(value: Any) -> bool:
    """Tell whether a parsed JSON has the lists of a COCO file."""
    return isinstance(value, dict) and all(
        isinstance(value.get(k), list) for k in ("images", "annotations", "categories")
    )


def is_crowd(annotation: Mapping[str, Any]) -> bool:
    """Tell whether an annotation is a crowd, which says nothing about single pixels.

    CVAT and Datumaro set `iscrowd` on every brush mask, and mark real crowds in `attributes`.
    """
    attributes = annotation.get("attributes")
    is_marked = not isinstance(attributes, dict) or bool(attributes.get("is_crowd"))
    return bool(annotation.get("iscrowd")) and is_marked


@functools.lru_cache(maxsize=64)
def _parsed(path: Path, _modified: int) -> CocoFile:
    try:
        content = read_annotations(path)
        if not is_coco(content):
            raise DataError(f"{path}: not a COCO JSON (images, annotations, categories); set data.annotations to one")
        names = {key: str(item["name"]).strip() for key, item in _by_id(path, content["categories"]).items()}
        images = {str(key): item for key, item in _by_id(path, content["images"]).items()}
        _check_categories(path, content["annotations"], names)
        annotations: dict[str, list[Mapping[str, Any]]] = {}
        for item in content["annotations"]:
            annotations.setdefault(str(item["image_id"]), []).append(item)
        used = Counter(item["category_id"] for group in annotations.values() for item in group)
        for image in images.values():
            size_of(image["height"], image["width"])
            if not isinstance(image["file_name"], str):
                raise TypeError(f"file_name {quote(image['file_name'])} of image {image['id']} is not text")
        supers = {str(item.get("supercategory")) for item in content["categories"] if item["id"] in used}
        notes = (*_strays(path, annotations, images), *_super_categories(path, content["categories"], used, names))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: not a COCO JSON ({type(error).__name__}: {error}); export it again") from None
    # Roboflow's category 0 is the name of the project: the others have it as supercategory, and no annotation uses it
    names = {key: name for key, name in names.items() if key in used or name not in supers}
    return CocoFile(names, images, {key: tuple(items) for key, items in annotations.items()}, notes)


def _by_id(path: Path, items: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    found: dict[Any, dict[str, Any]] = {}
    for item in items:
        other = found.setdefault(item["id"], item)
        if other is not item and other != item:
            one, two = (item.get("file_name", item.get("name")) for item in (other, item))
            raise DataError(f"{path}: '{one}' and '{two}' have the same id {quote(item['id'])}; give each its own")
    return found


def _check_categories(path: Path, annotations: list[dict[str, Any]], names: Mapping[Any, str]) -> None:
    wrong = [item for item in annotations if item.get("category_id") not in names]
    if not wrong:
        return
    first, more = wrong[0], and_more(len(wrong))
    found = f"category_id {quote(first['category_id'])}" if "category_id" in first else "no category_id"
    known = shorten((f"{quote(key)} {name}" for key, name in names.items()), CATEGORIES)
    raise DataError(
        f"{path}: annotation {first.get('id')}{more} has {found}, which is not in categories ({known}); add the "
        "category or remove the annotation"
        if "category_id" in first
        else f"{path}: annotation {first.get('id')}{more} has {found}; write one of the categories ({known}), or "
        "remove the annotation"
    )


def _strays(path: Path, annotations: Mapping[str, list[Any]], images: Mapping[str, Any]) -> Iterator[str]:
    strays = [item for key, items in annotations.items() if key not in images for item in items]
    if strays:
        first = f"annotation {strays[0].get('id')} with image_id {quote(strays[0]['image_id'])}"
        number = counted(len(strays), "annotation is", "annotations are")
        yield (
            f"{path.name}: {number} of an image that the file does not list, and not used; the first is "
            f"{first}: add its image, or remove it"
        )


def _super_categories(
    path: Path, categories: list[dict[str, Any]], used: Mapping[Any, int], names: Mapping[Any, str]
) -> Iterator[str]:
    """Yield a note for every category that annotations have although it is the group of others, as Roboflow's id 0."""
    below: dict[str, list[str]] = {}
    for item in categories:
        if str(item.get("supercategory")) != names[item["id"]]:
            below.setdefault(str(item.get("supercategory")), []).append(names[item["id"]])
    for key, name in names.items():
        if key in used and name in below:
            yield (
                f"{path.name}: {counted(used[key], 'annotation has', 'annotations have')} the category '{name}' (id "
                f"{quote(key)}), which is the supercategory of {shorten(below[name], CATEGORIES)}: '{name}' becomes a "
                "class of its own; if it is none, give them a category below it, or leave it out of data.classes"
            )


def read_coco_file(path: Path) -> CocoFile:
    """Read a file; a process reads it once for all its images.

    Raises:
        DataError: it is missing, or not a COCO JSON.
    """
    try:
        modified = path.stat().st_mtime_ns
    except OSError:
        modified = 0
    return _parsed(path, modified)
