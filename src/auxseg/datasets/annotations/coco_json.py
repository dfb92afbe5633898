"""COCO JSON with its own categories, as CVAT, Roboflow, labelme2coco, FiftyOne and Label Studio write it.

instances_default.json, annotations/instances_train2017.json, train/_annotations.coco.json, result.json, …

Image-level labels are the categories of an image's annotations, crowds included. Masks come from polygons and RLE. An
annotation with a box alone names a class, and its image has no mask.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from auxseg.counts import counted
from auxseg.datasets.annotations.annotated import (
    Annotated,
    ImageFiles,
    Item,
    json_files,
    object_names,
    read_annotations,
    split_of,
)
from auxseg.datasets.annotations.coco_file import CocoFile, is_coco, is_crowd, read_coco_file
from auxseg.datasets.annotations.drawing import encloses_nothing
from auxseg.datasets.mask_form import MaskForm
from auxseg.datasets.problems import ANNOTATIONS, STRICT, Problems
from auxseg.errors import DataError
from auxseg.files import open_file
from auxseg.params.data import DataParams


def read_coco_json(root: Path, params: DataParams, problems: Problems = STRICT) -> Annotated:
    """Read one file, or one for each split; a split is named in the file's or its folder's name.

    Raises:
        DataError: there is no COCO JSON, one is damaged, files disagree about the categories, or an image's name is
            ambiguous.
    """
    paths = coco_files(root, params.annotations)
    if not paths:
        place = root if params.annotations is None else root / params.annotations
        raise DataError(f"{place}: no COCO JSON (images, annotations, categories); add it, or set data.annotations")
    files = ImageFiles(root, params.folder.images)
    names: dict[str, None] = {}
    items: list[Item] = []
    missing: list[str] = []
    notes: list[str] = []
    boxes = 0
    empty: list[str] = []
    for path in paths:
        content = read_coco_file(path)
        names.update(dict.fromkeys(content.names.values()))
        notes += content.notes
        split = split_of(path.stem, *path.relative_to(root).parts[:-1]) if len(paths) > 1 else None
        relative = path.relative_to(root).as_posix()
        for key, image in content.images.items():
            with problems.of(ANNOTATIONS):
                found = files.find(image["file_name"], path)
                if found is None:
                    missing.append(image["file_name"])
                    continue
                has_mask = _has_mask(content, key)
                boxes += not has_mask
                if has_mask:
                    empty += [
                        f"annotation {number} of {image['file_name']}" for number in _drawn_as_nothing(content, key)
                    ]
                where = f"{path} image {key} ({image['file_name']})"
                mask, crowds = f"{relative}#{key}" if has_mask else None, _crowds(content, key)
                items.append(Item(found, split, _tags(content, key), mask, where, crowds))
    if boxes:
        notes.append(f"{counted(boxes, 'image has', 'images have')} boxes without a polygon or RLE, and so no mask")
    if empty:
        have = counted(len(empty), "annotation has", "annotations have")
        notes.append(
            f"{have} a polygon or RLE without a pixel (fewer than three points, no area, or outside the image), which "
            f"the mask lacks although the class is among the labels; the first is {empty[0]}: draw or remove it"
        )
    return Annotated(object_names(names), items, MaskForm("coco-json"), tuple(missing), tuple(notes))


def coco_files(root: Path, given: str | None = None) -> list[Path]:
    """Return the COCO JSON files of a data root; see `json_files`."""
    files = json_files(root, given, _looks_like_coco)
    return files if given is not None else _without_copies(files)


def _without_copies(files: list[Path]) -> list[Path]:
    """Leave out captions and key points, which COCO has beside its instances."""
    instances = [path for path in files if path.name.startswith("instances")]
    return instances or files


def _looks_like_coco(path: Path) -> bool:
    # a folder of labelme's files has thousands of JSONs, so the beginning decides before all of it is parsed
    with open_file(path) as stream:
        start = stream.read(4096)
    if b'"shapes"' in start or b'"imagePath"' in start:
        return False
    try:
        return is_coco(read_annotations(path))
    except DataError:
        return False


def _tags(content: CocoFile, key: str) -> tuple[str, ...]:
    return object_names(content.names[item["category_id"]] for item in content.annotations.get(key, ()))


def _crowds(content: CocoFile, key: str) -> frozenset[str]:
    """Return the classes that only crowds show."""
    groups: dict[bool, set[str]] = {True: set(), False: set()}
    for item in content.annotations.get(key, ()):
        groups[is_crowd(item)].add(content.names[item["category_id"]])
    return frozenset(groups[True] - groups[False])


def _has_mask(content: CocoFile, key: str) -> bool:
    """Tell whether every annotation has a shape; an image without annotations shows the background alone."""
    return all(map(_has_shape, content.annotations.get(key, ())))


def _has_shape(annotation: Mapping[str, Any]) -> bool:
    shape = annotation.get("segmentation")
    return any(shape) if isinstance(shape, list) else bool(shape)


def _drawn_as_nothing(content: CocoFile, key: str) -> Iterator[object]:
    """Yield the ids of the annotations of an image of which the mask shows nothing, or not all."""
    image = content.images[key]
    size = int(image["height"]), int(image["width"])
    for annotation in content.annotations.get(key, ()):
        with contextlib.suppress(ValueError):  # the check of the masks says what is wrong
            if encloses_nothing(annotation["segmentation"], size):
                yield annotation.get("id")
