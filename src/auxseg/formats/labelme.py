"""labelme's JSON, one file per image.

    <id>.json                 polygons; `imagePath` leads to the image
    <id>.<extension>          with `--with-images`
    labels.txt                `labelme --labels labels.txt`, and labelme's own converter to VOC

labelme has no holes. A later polygon covers earlier ones, so what lies in a hole is drawn after its surroundings, the
background as `_background_`. Ignored pixels are polygons of `__ignore__`. Both names are labelme's own.
With a tolerance, polygons reach below those that are drawn after them, so that no gap of background opens between them.
"""

import os
from pathlib import Path

from auxseg.artifacts.atomic import write_json, write_text
from auxseg.encoded import IGNORE
from auxseg.formats.regions import centre_outline, overlapping, painted
from auxseg.formats.writer import Item, Options, Writer

VERSION = "5.5.0"
"""Of the JSON. labelme warns about other major versions only."""


class LabelmeWriter(Writer):
    """Polygons through the outermost pixels, because labelme fills a polygon together with its outline."""

    reads_images = True

    def __init__(self, folder: Path, options: Options):
        super().__init__(folder, options)
        self._names = {**dict(enumerate(options.names)), 0: "_background_", IGNORE: "__ignore__"}

    def image_place(self, item: Item) -> str:
        """Return where the copy of an image is, relative to the folder."""
        return item.image_name

    def write(self, item: Item) -> None:
        """Write the polygons of an item."""
        height, width = item.mask.shape
        path = self.folder / f"{item.id}.json"
        copied = self.options.with_images
        image = self.folder / self.image_place(item) if copied else self.source_image(item).resolve()
        content = {
            "version": VERSION,
            "flags": {},
            "shapes": [
                {
                    "label": self._names[region.value],
                    "points": centre_outline(region, self.options.tolerance).tolist(),
                    "group_id": None,
                    "description": "",
                    "shape_type": "polygon",
                    "flags": {},
                    "mask": None,
                }
                for region in overlapping(painted(item.mask), self.options.tolerance)
            ],
            "imagePath": Path(os.path.relpath(image, path.parent)).as_posix(),
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
        }
        write_json(path, content)

    def finish(self) -> None:
        """Write the list of labels: ignore, background, then the classes."""
        names = [self._names[IGNORE], *(self._names[index] for index in range(len(self.options.names)))]
        write_text(self.folder / "labels.txt", "".join(f"{name}\n" for name in names))
