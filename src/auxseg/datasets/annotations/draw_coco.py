"""Masks from the polygons and RLE of a COCO JSON."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from auxseg.datasets.annotations.coco_file import is_crowd, read_coco_file
from auxseg.datasets.annotations.drawing import coco_region, paint
from auxseg.encoded import IGNORE
from auxseg.errors import DataError


def draw(path: Path, index_of: Callable[[str], int]) -> np.ndarray:
    """Return the mask of one image, uint8 (H, W) of class indices.

    Where objects overlap, the smaller one is on top. A crowd is 255 where no object lies on it.

    Args:
        path: `<file>.json#<image id>`.
        index_of: class name -> class index.

    Raises:
        DataError: the file has no such image, or an annotation is neither polygons nor RLE of the image's size.
    """
    file, _, key = str(path).rpartition("#")
    content = read_coco_file(Path(file))
    if key not in content.images:
        raise DataError(f"{file}: has no image with id {key}; run `auxseg scan`, then the pipeline again")
    image = content.images[key]
    size = (int(image["height"]), int(image["width"]))
    objects: list[tuple[bool, int, np.ndarray, int]] = []
    for annotation in content.annotations.get(key, ()):
        crowd = is_crowd(annotation)
        index = IGNORE if crowd else index_of(content.names[annotation["category_id"]])
        try:
            region = coco_region(annotation["segmentation"], size)
            objects.append((not crowd, -int(region.sum()), region, index))
        except ValueError as error:
            raise DataError(f"{file}: {image['file_name']}: annotation {annotation.get('id')} {error}") from None
    # crowds at the bottom, small objects on top of larger ones, whatever the index
    objects.sort(key=lambda item: item[:2])
    return paint(size, ((region, index) for _, _, region, index in objects))
