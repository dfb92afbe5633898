"""A COCO JSON file: images, categories and annotations, whatever tool wrote it."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auxseg.datasets.annotations.annotated import read_annotations
from auxseg.datasets.annotations.drawing import size_of
from auxseg.errors import DataError


@dataclass(frozen=True)
class CocoFile:
    """The content of a file. `names`: category id -> name; `annotations`: image id -> its annotations."""

    names: Mapping[int, str]
    images: Mapping[str, Mapping[str, Any]]
    annotations: Mapping[str, tuple[Mapping[str, Any], ...]]


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


@functools.lru_cache(maxsize=4)
def _parsed(path: Path, _modified: int) -> CocoFile:
    try:
        content = read_annotations(path)
        if not is_coco(content):
            raise DataError(f"{path}: not a COCO JSON (images, annotations, categories); set data.annotations to one")
        names = {item["id"]: str(item["name"]).strip() for item in content["categories"]}
        images = {str(item["id"]): item for item in content["images"]}
        annotations: dict[str, list[Mapping[str, Any]]] = {}
        for item in content["annotations"]:
            if item["category_id"] not in names:
                raise DataError(
                    f"{path}: annotation {item.get('id')} has category_id {item['category_id']}, which is not in "
                    "categories; add the category or remove the annotation"
                )
            annotations.setdefault(str(item["image_id"]), []).append(item)
        used = {item["category_id"] for group in annotations.values() for item in group}
        for image in images.values():
            str(image["file_name"]), size_of(image["height"], image["width"])
        supers = {str(item.get("supercategory")) for item in content["categories"] if item["id"] in used}
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: not a COCO JSON ({type(error).__name__}: {error}); export it again") from None
    # Roboflow's category 0 is the name of the project: the others have it as supercategory, and no annotation uses it
    names = {key: name for key, name in names.items() if key in used or name not in supers}
    return CocoFile(names, images, {key: tuple(items) for key, items in annotations.items()})


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
