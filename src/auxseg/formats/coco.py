"""COCO's instances JSON, one file per split.

    annotations/instances_<split>.json
    images/<id>.<extension>               with `--with-images`

Every connected region is an annotation, iscrowd = 0. Its segmentation is run lengths or, with `--shapes polygons`, one
polygon; a region with a hole stays run lengths, because COCO's polygons have no holes. Ignored pixels are one
annotation of the category `ignore` with iscrowd = 1, which COCO's evaluation and most trainers skip.
"""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from auxseg.encoded import IGNORE
from auxseg.formats.regions import edge_outlines, regions
from auxseg.formats.writer import IGNORE_NAME, Item, JsonList, Options, Writer


class CocoWriter(Writer):
    """Annotations are written at once; the list of images, which is short, at the end."""

    def __init__(self, folder: Path, options: Options):
        super().__init__(folder, options)
        self._files = ExitStack()
        self._splits: dict[str, _Split] = {}

    def write(self, item: Item) -> None:
        """Write the annotations of an item."""
        if item.split not in self._splits:
            self._splits[item.split] = self._open(item.split)
        split = self._splits[item.split]
        height, width = item.mask.shape
        split.images.append(
            {"id": len(split.images) + 1, "file_name": item.image_name, "width": width, "height": height}
        )
        for region in regions(item.mask, [int(one) for one in np.unique(item.mask) if one not in (0, IGNORE)]):
            whole = region.full(height, width)
            outlines = edge_outlines(region, self.options.tolerance) if self.options.shapes == "polygons" else []
            shape = [outlines[0].round(2).ravel().tolist()] if len(outlines) == 1 else None
            split.add(int(self.options.values[region.value]), whole, shape)
        if (ignored := item.mask == IGNORE).any():
            split.add(IGNORE, ignored.astype(np.uint8), None)

    def _open(self, split: str) -> "_Split":
        path = self.folder / f"annotations/instances_{split}.json"
        path.parent.mkdir(exist_ok=True)
        stream = self._files.enter_context(path.open("w", encoding="utf-8", newline="\n"))
        stored = [(int(self.options.values[index]), name) for index, name in enumerate(self.options.names) if index]
        categories = [{"id": value, "name": name, "supercategory": "object"} for value, name in stored]
        categories.append({"id": IGNORE, "name": IGNORE_NAME, "supercategory": IGNORE_NAME})
        head = {"info": {"description": self.options.source}, "licenses": [], "categories": categories}
        stream.write(json.dumps(head, ensure_ascii=False)[:-1] + ',\n"annotations": ')
        return _Split(stream)

    def finish(self) -> None:
        """Write the lists of images."""
        with self._files:
            for split in self._splits.values():
                split.finish()


class _Split:
    """The open file of one split."""

    def __init__(self, stream: Any):
        self.images: list[dict[str, object]] = []
        self._stream, self._annotations, self._count = stream, JsonList(stream), 0

    def add(self, category: int, region: np.ndarray, polygons: list[list[float]] | None) -> None:
        """Append an annotation of the last image.

        Args:
            category: stored value of the class; 255 makes a crowd.
            region: uint8 (H, W), 0 or 1.
            polygons: written instead of run lengths, if given.
        """
        self._count += 1
        whole = coco_mask.encode(np.asfortranarray(region))
        counts = whole["counts"]
        lengths = {"size": whole["size"], "counts": counts.decode() if isinstance(counts, bytes) else counts}
        annotation = {
            "id": self._count,
            "image_id": len(self.images),
            "category_id": category,
            "iscrowd": int(category == IGNORE),
            "area": int(coco_mask.area(whole)),
            "bbox": coco_mask.toBbox(whole).tolist(),
            "segmentation": polygons or lengths,
        }
        self._annotations.add(annotation)

    def finish(self) -> None:
        """End the file."""
        self._annotations.close()
        self._stream.write(',\n"images": ')
        images = JsonList(self._stream)
        for image in self.images:
            images.add(image)
        images.close()
        self._stream.write("}\n")
