"""Format `coco`, read with pycocotools as its users do."""

from pathlib import Path

import example_masks
import numpy as np
import pytest
from example_masks import ALL, VALUES, agreement, written
from pycocotools.coco import COCO


def read(path: Path) -> dict[str, np.ndarray]:
    """Return stored values by file name: crowds are 255 where no object lies on them."""
    coco = COCO(path)
    masks = {}
    for image in coco.dataset["images"]:
        mask = np.zeros((image["height"], image["width"]), np.uint8)
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
        for annotation in sorted(annotations, key=lambda one: -one["iscrowd"]):
            region = coco.annToMask(annotation).astype(bool)
            mask[region] = 255 if annotation["iscrowd"] else annotation["category_id"]
        masks[image["file_name"]] = mask
    return masks


@pytest.mark.parametrize("options", [{}, {"shapes": "polygons", "tolerance": 0.0}])
def test_every_pixel_comes_back(options, tmp_path):
    written(tmp_path / "out", "coco", ALL, **options)
    found = read(tmp_path / "out/annotations/instances_train.json")
    assert list(found) == [f"{key}.jpg" for key in ALL]
    for key, mask in ALL.items():
        np.testing.assert_array_equal(found[f"{key}.jpg"], VALUES[mask], err_msg=key)


def test_simplified_polygons_differ_at_outlines_alone(tmp_path):
    mask = example_masks.blobs()
    written(tmp_path / "exact", "coco", {"a": mask}, shapes="polygons", tolerance=0.0)
    written(tmp_path / "out", "coco", {"a": mask}, shapes="polygons")
    path = "annotations/instances_train.json"
    assert 0.98 < agreement(read(tmp_path / "out" / path)["a.jpg"], VALUES[mask]) < 1
    assert (tmp_path / "out" / path).stat().st_size < 0.7 * (tmp_path / "exact" / path).stat().st_size


def test_boxes_areas_and_categories(tmp_path):
    mask = np.zeros((10, 20), np.uint8)
    mask[2:5, 3:9] = 2
    mask[6:8, 1:3] = 255
    written(tmp_path / "out", "coco", {"a/b": mask}, shapes="polygons", split="val")
    coco = COCO(tmp_path / "out/annotations/instances_val.json")
    categories = {one["id"]: one["name"] for one in coco.dataset["categories"]}
    assert categories == {8: "cat", 12: "traffic light", 255: "ignore"}
    first, second = coco.dataset["annotations"]
    assert (first["bbox"], first["area"], first["iscrowd"], first["category_id"]) == ([3, 2, 6, 3], 18, 0, 12)
    assert (second["bbox"], second["area"], second["iscrowd"], second["category_id"]) == ([1, 6, 2, 2], 4, 1, 255)
    assert isinstance(first["segmentation"], list) and isinstance(second["segmentation"], dict)
    assert coco.dataset["images"] == [{"id": 1, "file_name": "a/b.jpg", "width": 20, "height": 10}]
    assert coco.dataset["info"] == {"description": "auxseg r1"}


def test_a_hole_makes_run_lengths(tmp_path):
    ring = np.ones((9, 9), np.uint8)
    ring[3:6, 3:6] = 0
    written(tmp_path / "out", "coco", {"a": ring}, shapes="polygons")
    (annotation,) = COCO(tmp_path / "out/annotations/instances_train.json").dataset["annotations"]
    assert isinstance(annotation["segmentation"], dict) and annotation["area"] == 72
