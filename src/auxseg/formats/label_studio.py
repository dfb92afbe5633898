"""Label Studio's tasks with pre-annotations.

    tasks.json                  an array of tasks, each with `data` and `predictions`
    config.xml                  the labelling interface of the project
    images/<id>.<extension>     with `--with-images`

By default every class of an image is one brush region, with 255 as the label `ignore`. With `--shapes polygons` every
connected region is a polygon in per cent of the image's size, and a region with a hole stays a brush region, because
Label Studio's polygons have no holes. With a tolerance, regions reach below those that follow, so that no gap of
background opens between them.
"""

from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

import numpy as np

from auxseg.artifacts.atomic import write_text
from auxseg.encoded import IGNORE, PALETTE
from auxseg.formats.brush_rle import encode_brush
from auxseg.formats.regions import edge_outlines, overlapping, regions
from auxseg.formats.writer import Item, JsonList, Options, Writer


class LabelStudioWriter(Writer):
    """Tasks are written at once."""

    def __init__(self, folder: Path, options: Options):
        super().__init__(folder, options)
        self._file = ExitStack()
        self._tasks = self._file.enter_context(JsonList.file(folder / "tasks.json"))

    def write(self, item: Item) -> None:
        """Write the task of an item."""
        place = self.image_place(item) if self.options.with_images else item.image
        prediction = {"model_version": self.options.source, "result": self._results(item.mask)}
        url = self.options.image_url + quote(place)
        self._tasks.add({"data": {"image": url, "image_id": item.id}, "predictions": [prediction]})

    def _results(self, mask: np.ndarray) -> list[dict[str, object]]:
        height, width = mask.shape
        values = [int(value) for value in np.unique(mask) if value]
        found: list[tuple[str, int, dict[str, object]]] = []
        if self.options.shapes == "rle":
            found = [("brush", value, _brush(mask == value)) for value in values]
        else:
            for region in overlapping(list(regions(mask, values)), self.options.tolerance):
                outlines = edge_outlines(region, self.options.tolerance)
                if len(outlines) > 1:
                    found.append(("brush", region.value, _brush(region.full(height, width).astype(bool))))
                else:
                    points = (100 * outlines[0] / (width, height)).round(4).tolist()
                    found.append(("polygon", region.value, {"points": points, "closed": True}))
        return [
            {
                "id": f"{kind}{number}",
                "type": f"{kind}labels",
                "from_name": kind,
                "to_name": "image",
                "original_width": width,
                "original_height": height,
                "image_rotation": 0,
                "value": {**value, f"{kind}labels": [self.options.name(index)]},
            }
            for number, (kind, index, value) in enumerate(found, 1)
        ]

    def finish(self) -> None:
        """End the tasks and write the labelling interface."""
        self._file.close()
        kinds = {"brush": "BrushLabels"} | ({"polygon": "PolygonLabels"} if self.options.shapes == "polygons" else {})
        colours = {index: bytes(PALETTE[self.options.values[index]].tolist()).hex() for index in self._indices()}
        lines = ["<View>", '  <Image name="image" value="$image" zoom="true"/>']
        for kind, tag in kinds.items():
            lines.append(f'  <{tag} name="{kind}" toName="image">')
            for index, colour in colours.items():
                lines.append(f'    <Label value={quoteattr(self.options.name(index))} background="#{colour}"/>')
            lines.append(f"  </{tag}>")
        write_text(self.folder / "config.xml", "\n".join([*lines, "</View>"]) + "\n")

    def _indices(self) -> list[int]:
        return [*range(1, len(self.options.names)), IGNORE]


def _brush(region: np.ndarray) -> dict[str, object]:
    return {"format": "rle", "rle": encode_brush(region)}
