"""Valid tables, annotations and parameters, which `test_fuzz` changes, and the images that annotations are of."""

import base64
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rows_tables
from formats import example_masks
from PIL import Image
from valid_files import LABEL, deflated

from auxseg.encoded import encode_grey
from auxseg.review.corrections import COLUMNS

VALID = "0" * 64


def csv_tags() -> list[bytes]:
    texts = [
        'image_id,labels\na,cat\nb,"cat,dog"\nc,\n007,dog;cat\n',
        'image_id,labels,split,group\na,"[""cat"", ""dog""]",train,p1\nb,cat dog,val,p2\nc,[],train,\n',
        "image_id,cat,dog,split\na,1,0,train\nb,0,1,val\nc,0,0,train\n",
        "filename;labels\na.jpg;cat|dog\nb.png;cat\n",
    ]
    return [text.encode() for text in texts]


def json_tags() -> list[bytes]:
    values = [
        {"a": ["cat", "dog"], "b": [], "c": ["cat"]},
        [{"image_id": "a", "labels": ["cat"], "split": "train"}, {"image_id": "b", "labels": "dog", "group": "x"}],
        [{"file_name": "a.jpg", "labels": {"cat": 1, "dog": 0}}],
    ]
    return [json.dumps(value).encode() for value in values]


def verdicts() -> list[bytes]:
    rows = [
        f"a,{VALID},r0,accept,,fine,ann,2026-01-31",
        f'b,{VALID},r10,unsure,cat;dog,"a ""b""",bob,2026-01-31T10:00Z',
    ]
    return ["\n".join([rows_tables.HEADER, *rows, ""]).encode()]


def corrections() -> list[bytes]:
    rows = [f"a,r0,1=cat;2=dog,{VALID},labelme,ann,2026-01-31", f"b/c,r1,,{VALID},cvat,bob,2026-02-01"]
    table = f"image_id,sha256,corrected,imported\na,{VALID},yes,\nb,{VALID},,{VALID}\n"
    return ["\n".join([",".join(COLUMNS), *rows, ""]).encode(), table.encode()]


def colours() -> list[bytes]:
    texts = [
        "name,r,g,b\nbackground,0,0,0\ncat,10,0,10\n",
        "name,colour\nbackground,#000000\ncat,#0a000a\n",
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:10,0,10::\ntraffic light:20,0,0:wheel:go\n",
    ]
    return [text.encode() for text in texts]


def annotation_xml() -> list[bytes]:
    one = "<object><name>cat</name><difficult>0</difficult><bndbox><xmin>1</xmin></bndbox></object>"
    two = "<object><name>dog</name><difficult>1</difficult></object>"
    texts = [f"<annotation><size><width>4</width></size>{one}{two}</annotation>", f'<?xml version="1.0"?><a>{two}</a>']
    return [text.encode() for text in texts]


def exported(form: str, file: str, more: Callable[[], list[bytes]] = list) -> Callable[[], list[bytes]]:
    """Return the maker of valid files: what auxseg exports in a format, and what other tools write."""

    def seeds() -> list[bytes]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name, "out")
            images(Path(name))
            example_masks.written(folder, form, {"a": example_masks.nested()}, root=Path(name))
            return [next(folder.rglob(file)).read_bytes(), *more()]

    return seeds


def images(folder: Path) -> None:
    """Write the image that annotations are of."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(folder / "images/a.jpg")


def masks_of_cvat(folder: Path) -> None:
    images(folder)
    (folder / "SegmentationClass").mkdir(exist_ok=True)
    mask = np.zeros((40, 60, 3), np.uint8)
    mask[:9], mask[9:20] = (10, 0, 10), (20, 0, 0)
    Image.fromarray(mask).save(folder / "SegmentationClass/a.png")


def labelmes() -> list[bytes]:
    shapes = [
        {"label": "cat", "points": [[1, 1], [20, 5]], "shape_type": "rectangle"},
        {"label": "dog", "points": [[10, 10], [14, 10]], "shape_type": "circle"},
        {"label": "cat", "points": [[3, 3], [9, 3], [6, 9.5]], "shape_type": "polygon", "flags": {}},
        {
            "label": "cat",
            "points": [[2, 2], [5, 4]],
            "shape_type": "mask",
            "mask": base64.b64encode(encode_grey(LABEL / 255)).decode(),
        },
    ]
    whole = {"shapes": shapes, "flags": {"dog": True}, "imagePath": "images/a.jpg", "imageHeight": 40, "imageWidth": 60}
    return [json.dumps(whole).encode()]


def cocos() -> list[bytes]:
    row = {"image_id": 1, "bbox": [1, 1, 5, 5], "area": 25, "iscrowd": 0}
    shapes = [
        [[1, 1, 20, 2, 8, 30]],
        {"size": [40, 60], "counts": [100, 50, 2250]},
        {"size": [40, 60], "counts": "T3:bW2"},
    ]
    rows = [{**row, "id": n, "category_id": 3, "segmentation": shape} for n, shape in enumerate(shapes, 1)]
    image = {"id": 1, "file_name": "a.jpg", "height": 40, "width": 60}
    categories = [{"id": 3, "name": "cat", "supercategory": "animal"}]
    return [json.dumps({"images": [image], "annotations": rows, "categories": categories}).encode()]


def label_studios() -> list[bytes]:
    size = {"original_width": 60, "original_height": 40}
    box = {"x": 10, "y": 10.5, "width": 30, "height": 20, "rotation": 15, "rectanglelabels": ["cat"]}
    ellipse = {"x": 50, "y": 50, "radiusX": 10, "radiusY": 5, "rotation": 0, "ellipselabels": ["dog"]}
    polygon = {"points": [[1, 1], [40, 2], [20.5, 60]], "polygonlabels": ["cat"]}
    results = [
        {"type": kind, "value": value, "from_name": "tag", "to_name": "image", **size}
        for kind, value in (("rectanglelabels", box), ("ellipselabels", ellipse), ("polygonlabels", polygon))
    ]
    results.append({"type": "choices", "value": {"choices": ["dog"]}})
    whole = [{"id": 7, "data": {"image": "/data/upload/1/0a1b2c3d-a.jpg"}, "annotations": [{"result": results}]}]
    least = [{"id": 7, "image": "images/a.jpg", "annotator": 1, "tag": [{**box, **size}], "choice": "dog"}]
    return [json.dumps(value).encode() for value in (whole, least)]


def cvat_zips() -> list[bytes]:
    (whole,) = exported("cvat", "*.zip")()
    return [whole, deflated(whole)]


def roboflow_tables() -> list[bytes]:
    return [b"filename, cat, dog\na.jpg,1,0\nb.jpg,0,1\n", b"filename,cat,dog\r\nb.jpg, 1, 1\r\n"]


def roboflow_images(folder: Path) -> None:
    """Put images where their names are not those of the folder of the test."""
    (folder / "train").mkdir(exist_ok=True)
    for name in ("a", "b"):
        Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(folder / f"train/{name}.jpg")


def yamls() -> list[bytes]:
    root = Path(__file__).resolve().parents[2]
    small = "a: &a {x: 1, y: [1, 2.5, null]}\nb: {<<: *a, z: 2024-01-31}\nc: |\n  text\n"
    whole = [(root / name).read_text("utf-8") for name in ("params.yaml", "params/presets/own-data.yaml")]
    return [re.sub(r"(?m)^ *#.*\n| +#.*$", "", text).encode() for text in (*whole, small)]
