"""Which format a folder has, for `auxseg use own-data --data FOLDER`."""

from pathlib import Path

from auxseg.datasets.annotations.class_folders import has_class_folders
from auxseg.datasets.annotations.coco_json import coco_files
from auxseg.datasets.annotations.cvat import LABELMAP
from auxseg.datasets.annotations.label_studio import label_studio_files
from auxseg.datasets.annotations.labelme_file import parse_labelme
from auxseg.datasets.annotations.roboflow import roboflow_tables
from auxseg.datasets.scan import raw_files
from auxseg.params.data import DataParams


def recognise(root: Path, params: DataParams) -> tuple[str, str] | None:
    """Return `data.format` and the file that tells it, relative to the data root; None for an ordinary folder.

    A table of image-level labels (`data.labels_file`) has priority, because the user wrote it.
    """
    if (root / params.labels_file).exists():
        return None
    if (root / LABELMAP).is_file() and (root / params.mask_folder).is_dir():
        return "cvat", LABELMAP
    if found := coco_files(root):
        return "coco-json", found[0].relative_to(root).as_posix()
    if found := label_studio_files(root):
        return "label-studio", found[0].relative_to(root).as_posix()
    if found := roboflow_tables(root):
        return "roboflow-csv", found[0].relative_to(root).as_posix()
    jsons = (path for path in sorted(raw_files(root)) if path.suffix == ".json")
    if first := next(filter(parse_labelme, jsons), None):
        return "labelme", first.relative_to(root).as_posix()
    if has_class_folders(root, params.folder.images):
        return "class-folders", "folders of images"
    return None
