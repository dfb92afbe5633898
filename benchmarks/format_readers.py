"""Open what `auxseg export labels --format` writes with the tools' own readers, and compare every pixel.

    python -m venv tools && tools/bin/pip install datumaro label-studio-sdk labelme
    PYTHONPATH=src tools/bin/python benchmarks/format_readers.py --masks FOLDER --images FOLDER --count 20

labelme's files are opened by labelme; COCO, CVAT and VOC by datumaro, which is CVAT's own reader; Label Studio's by the
decoder of its SDK. Masks are PNGs of VOC's values, and the images JPEGs of the same names. Needs its own environment,
because these tools pin libraries of their own. The result is kept in benchmarks/format_readers.csv.
"""

import argparse
import csv
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from PIL import Image

from auxseg.encoded import IGNORE
from auxseg.formats.export import write_format
from auxseg.formats.writer import IGNORE_NAME, Item, Options
from auxseg.params.data import VOC_CLASSES

RESULTS = Path(__file__).resolve().with_suffix(".csv")
NAMES = ("background", *VOC_CLASSES)
INDICES = {name: index for index, name in enumerate(NAMES)} | {IGNORE_NAME: IGNORE}
LABELME = {"_background_": 0, f"__{IGNORE_NAME}__": IGNORE}
"""labelme's own names."""

Read = Callable[[Path, dict[str, tuple[int, int]]], dict[str, np.ndarray]]
"""Maps a folder and the images' sizes to their masks, as a tool reads them."""


def by_datumaro(kind: str) -> Read:
    """Return the reader of one of datumaro's formats."""

    def read(folder: Path, sizes: dict[str, tuple[int, int]]) -> dict[str, np.ndarray]:
        import datumaro
        from pycocotools import mask as coco

        for archive in folder.glob("*.zip"):
            zipfile.ZipFile(archive).extractall(folder)
        dataset, masks = datumaro.Dataset.import_from(str(folder), kind), {}
        labels = dataset.categories()[datumaro.AnnotationType.label]
        for item in dataset:
            masks[item.id] = np.zeros(sizes[item.id], np.uint8)
            for annotation in item.annotations:
                if annotation.type == datumaro.AnnotationType.polygon:
                    pixels = coco.decode(coco.merge(coco.frPyObjects([annotation.points], *sizes[item.id])))
                elif annotation.type == datumaro.AnnotationType.mask:
                    pixels = annotation.image
                else:
                    continue
                masks[item.id][pixels.astype(bool)] = INDICES[labels[annotation.label].name]
        return masks

    return read


def by_labelme(folder: Path, sizes: dict[str, tuple[int, int]]) -> dict[str, np.ndarray]:
    """Open and draw files as labelme does."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from labelme import utils
    from labelme._label_file import LabelFile

    shapes = {key: LabelFile(str(folder / f"{key}.json")).shapes for key in sizes}
    return {key: utils.shapes_to_label((*sizes[key], 3), shapes[key], INDICES | LABELME)[0] for key in sizes}


def by_label_studio(folder: Path, sizes: dict[str, tuple[int, int]]) -> dict[str, np.ndarray]:
    """Decode the brush strokes of pre-annotations."""
    from label_studio_sdk.converter.brush import decode_rle

    masks = {key: np.zeros(size, np.uint8) for key, size in sizes.items()}
    for task in json.loads((folder / "tasks.json").read_text()):
        mask = masks[Path(task["data"]["image"]).stem]
        for result in task["predictions"][0]["result"]:
            pixels = decode_rle(result["value"]["rle"]).reshape(*mask.shape, 4)[..., 3]
            mask[pixels > 0] = INDICES[result["value"]["brushlabels"][0]]
    return masks


READERS: dict[tuple[str, str], tuple[str, Read]] = {
    ("coco", "rle"): ("datumaro", by_datumaro("coco")),
    ("coco", "polygons"): ("datumaro", by_datumaro("coco")),
    ("cvat", "rle"): ("datumaro", by_datumaro("voc_segmentation")),
    ("voc", "rle"): ("datumaro", by_datumaro("voc_segmentation")),
    ("labelme", "polygons"): ("labelme", by_labelme),
    ("label-studio", "rle"): ("label-studio-sdk", by_label_studio),
}


def main() -> int:
    """Write, read and compare every format."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--masks", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--images", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--count", type=int, default=20)
    arguments = parser.parse_args()
    paths = sorted(arguments.masks.glob("*.png"))[: arguments.count]
    truth = {path.stem: np.asarray(Image.open(path)) for path in paths}
    items = [Item(key, "train", f"{key}.jpg", mask) for key, mask in truth.items()]
    sizes = {key: mask.shape for key, mask in truth.items()}
    values = np.arange(256, dtype=np.uint8)
    rows = []
    for (name, shapes), (tool, read) in READERS.items():
        with tempfile.TemporaryDirectory() as folder:
            to = Path(folder, "out")
            write_format(name, to, items, Options(NAMES, values, "auxseg", arguments.images, shapes, 0.0, True))
            found = read(to, sizes)
        equal = sum(np.array_equal(found.get(key), mask) for key, mask in truth.items())
        rows.append([name, shapes, f"{tool} {version(tool)}", len(truth), equal])
        print(",".join(map(str, rows[-1])), flush=True)
    with RESULTS.open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([["format", "shapes", "reader", "images", "equal"], *rows])
    return 0 if all(row[3] == row[4] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
