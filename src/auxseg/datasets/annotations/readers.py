"""The reader of each tool's format."""

from collections.abc import Callable
from pathlib import Path

from auxseg.datasets.annotations.annotated import Annotated
from auxseg.datasets.annotations.class_folders import read_class_folders
from auxseg.datasets.annotations.coco_json import read_coco_json
from auxseg.datasets.annotations.cvat import read_cvat
from auxseg.datasets.annotations.label_studio import read_label_studio
from auxseg.datasets.annotations.labelme import read_labelme
from auxseg.datasets.annotations.roboflow import read_roboflow
from auxseg.datasets.problems import Problems
from auxseg.params.data import DataParams

READERS: dict[str, Callable[[Path, DataParams, Problems], Annotated]] = {
    "coco-json": read_coco_json,
    "labelme": read_labelme,
    "cvat": read_cvat,
    "label-studio": read_label_studio,
    "class-folders": read_class_folders,
    "roboflow-csv": read_roboflow,
}
"""`data.format` -> its reader: data root, parameters and where problems go, to what the tool's files contain."""
