"""COCO 2014 as a data set in VOC's layout, with 81-class masks from the instances JSON.

    SOURCE/train2014/, val2014/                        images
    SOURCE/annotations/instances_{train,val}2014.json
    ROOT/JPEGImages/<id>.jpg                           links to the images
    ROOT/SegmentationClass/<id>.png                    0 background, 1..80 objects, 255 crowd
    ROOT/ImageSets/Segmentation/{train,val}.txt
    ROOT/image_labels.csv

COCO numbers its 80 classes from 1 to 90 with ten gaps; here they are 1..80 in the same order. Where objects overlap,
the smaller one is on top; crowd regions are below all objects. Image-level labels include crowds. Images without
annotations are left out of train, because they have no label; in val they stay, as background.
"""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from auxseg.artifacts.atomic import write_bytes, write_text
from auxseg.artifacts.tables import write_csv
from auxseg.datasets.annotations.drawing import coco_region, size_of
from auxseg.datasets.id_lists import COCO_LISTS, IdList, check_list
from auxseg.datasets.manifest import SEPARATOR
from auxseg.datasets.voc import LISTS
from auxseg.downloads import download, unpack
from auxseg.encoded import IGNORE, encode_label
from auxseg.errors import DataError
from auxseg.files import read_json
from auxseg.parallel import map_processes, track
from auxseg.params.data import COCO_CLASSES

_GAPS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
"""Ids among the 91 classes of the paper that were never annotated (91 is the eleventh)."""

COCO_IDS = tuple(number for number in range(1, 91) if number not in _GAPS)
"""COCO's id of each class, in the order of COCO_CLASSES; position k has mask value k + 1."""

_MASK_VALUES = {number: value for value, number in enumerate(COCO_IDS, 1)}

_HOST = "https://s3.amazonaws.com/images.cocodataset.org"
"""COCO's own bucket. By the name images.cocodataset.org it has no valid certificate."""
SOURCE_FILES = (
    ("zips/train2014.zip", "ede4087e640bddba550e090eae701092534b554b42b05ac33f0300b984b31775"),
    ("zips/val2014.zip", "fe9be816052049c34717e077d9e34aa60814a55679f804cd043e3cbee3b9fde0"),
    ("annotations/annotations_trainval2014.zip", "031296bbc80c45a1d1f76bf9a90ead27e94e99ec629208449507a4917a3bf009"),
)
"""Path on the host, and SHA-256."""


@dataclass(frozen=True)
class Split:
    """The result for one split: ids of its list, and number of images without annotation."""

    ids: tuple[str, ...]
    without_annotation: int


def fetch(source: Path) -> None:
    """Download and unpack images and annotations; existing folders are kept, an interrupted download is continued.

    Raises:
        DataError: the download fails, or its content differs from the published one.
    """
    for path, sha256 in SOURCE_FILES:
        name = Path(path).name
        folder = "annotations" if name.startswith("annotations") else Path(path).stem
        if not (source / folder).is_dir():
            unpack(download(f"{_HOST}/{path}", sha256, source / name), folder, source / folder)


def convert(source: Path, root: Path, published: Mapping[str, IdList] = COCO_LISTS) -> dict[str, Split]:
    """Write the data set at `root`; lists and labels come last, so an interrupted run leaves an unusable set.

    Raises:
        DataError: a file is missing or damaged, categories are not COCO's, or a list differs from the published one.
    """
    tags: list[list[str]] = []
    splits = {}
    for name in ("train", "val"):
        images = _images(source, f"{name}2014")
        named = [image for image in images if image.annotations]
        kept = named if name == "train" else images
        splits[name] = Split(tuple(image.id for image in kept), len(images) - len(named))
        check_list(f"{source}: instances_{name}2014.json", name, splits[name].ids, published)
        for image in track(kept, f"link {name}"):
            _link(source / f"{name}2014" / image.file, root / "JPEGImages" / image.file)
        map_processes(_MaskWriter(root / "SegmentationClass"), kept, f"masks {name}")
        tags += [[image.id, SEPARATOR.join(COCO_CLASSES[value - 1] for value in image.values)] for image in kept]
    for name, split in splits.items():
        write_text(root / LISTS / f"{name}.txt", "".join(f"{key}\n" for key in split.ids))
    write_csv(root / "image_labels.csv", ["image_id", "labels"], tags)
    return splits


@dataclass(frozen=True)
class CocoImage:
    """One image with its annotations as in the JSON."""

    file: str
    height: int
    width: int
    annotations: tuple[Mapping[str, Any], ...]

    @property
    def id(self) -> str:
        """The file name without its extension."""
        return Path(self.file).stem

    @property
    def values(self) -> list[int]:
        """Mask values of the classes in the image, sorted."""
        return sorted({_MASK_VALUES[annotation["category_id"]] for annotation in self.annotations})


def _images(source: Path, name: str) -> list[CocoImage]:
    path = source / "annotations" / f"instances_{name}.json"
    try:
        content = read_json(path, "unpack it again")
        categories = {item["id"]: item["name"] for item in content["categories"]}
        annotations: dict[int, list[dict[str, Any]]] = {}
        for item in content["annotations"]:
            _MASK_VALUES[item["category_id"]]  # a KeyError here names a category that COCO does not have
            item["id"], item["segmentation"]  # and here a key that the annotation lacks
            annotations.setdefault(item["image_id"], []).append(item)
        rows = [
            CocoImage(
                Path(item["file_name"]).name,
                *size_of(item["height"], item["width"]),
                tuple(annotations.get(item["id"], ())),
            )
            for item in content["images"]
        ]
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; remove {path.parent} and run again") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: not an instances JSON of COCO ({type(error).__name__}: {error}); unpack it again"
        ) from None
    if categories != dict(zip(COCO_IDS, COCO_CLASSES, strict=True)):
        raise DataError(f"{path}: its categories are not COCO's 80; use the published instances_{name}.json")
    return sorted(rows, key=lambda image: image.id)


@dataclass(frozen=True)
class _MaskWriter:
    folder: Path

    def __call__(self, image: CocoImage) -> None:
        write_bytes(self.folder / f"{image.id}.png", encode_label(semantic_mask(image)))


def semantic_mask(image: CocoImage) -> np.ndarray:
    """Return the mask of an image, uint8 (H, W): 0, mask values 1..80, and 255 where there is only a crowd.

    Raises:
        DataError: a segmentation is neither polygons nor RLE of the image's size.
    """
    label = np.zeros((image.height, image.width), np.uint8)
    objects = []
    for annotation in image.annotations:
        region = _region(annotation, image)
        if annotation.get("iscrowd"):
            label[region] = IGNORE
        else:
            objects.append((-int(region.sum()), annotation["id"], region, _MASK_VALUES[annotation["category_id"]]))
    for _, _, region, value in sorted(objects, key=lambda item: item[:2]):
        label[region] = value
    return label


def _region(annotation: Mapping[str, Any], image: CocoImage) -> np.ndarray:
    try:
        return coco_region(annotation["segmentation"], (image.height, image.width))
    except ValueError as error:
        raise DataError(f"{image.file}: annotation {annotation.get('id')} {error}") from None


def _link(photo: Path, target: Path) -> None:
    """Link the image into JPEGImages: a hard link, or a symbolic link to another file system."""
    if not photo.is_file():
        raise DataError(f"{photo}: no such image; remove {photo.parent} and run again")
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_symlink() and not target.exists():  # the source has been moved
        target.unlink()
    with contextlib.suppress(FileExistsError):
        try:
            os.link(photo, target)
        except FileExistsError:
            raise
        except OSError:  # another file system
            target.symlink_to(photo.resolve())
