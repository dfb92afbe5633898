"""Format `cvat`, read as CVAT documents "Segmentation mask 1.1"."""

import io
import json
import zipfile
from pathlib import Path

import example_masks
import numpy as np
from example_masks import ALL, VALUES, written
from PIL import Image
from scipy.ndimage import label as count_regions


def read(path: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the label's name and the object's colour at every pixel, by id."""
    with zipfile.ZipFile(path) as archive:
        lines = [line for line in archive.read("labelmap.txt").decode().splitlines() if not line.startswith("#")]
        colours = {}
        for line in lines:
            name, colour, parts, actions = line.split(":")
            assert (parts, actions) == ("", "")
            colours[tuple(map(int, colour.split(",")))] = name
        assert len(colours) == len(lines)
        found = {}
        for key in archive.read("ImageSets/Segmentation/default.txt").decode().splitlines():
            classes, objects = (
                Image.open(io.BytesIO(archive.read(f"{folder}/{key}.png")))
                for folder in ("SegmentationClass", "SegmentationObject")
            )
            assert classes.mode == objects.mode == "RGB"
            names = [[colours[tuple(pixel)] for pixel in row] for row in np.asarray(classes).tolist()]
            found[key] = np.array(names), np.asarray(objects)
        assert len(archive.namelist()) == 2 + 2 * len(found)
        return found


def test_every_pixel_comes_back(tmp_path):
    written(tmp_path / "out", "cvat", ALL)
    found = read(tmp_path / "out/segmentation_mask.zip")
    assert list(found) == list(ALL)
    names = {0: "background", 1: "cat", 2: "traffic light", 255: "ignore"}
    for key, mask in ALL.items():
        np.testing.assert_array_equal(found[key][0], np.vectorize(names.get)(mask), err_msg=key)


def test_objects_are_regions_and_the_background_is_none(tmp_path):
    mask = example_masks.blobs()
    written(tmp_path / "out", "cvat", {"a": mask})
    objects = read(tmp_path / "out/segmentation_mask.zip")["a"][1] @ np.array([65536, 256, 1])
    np.testing.assert_array_equal(objects == 0, mask == 0)
    regions = [count_regions(mask == value) for value in (1, 2, 255)]
    for numbers, count in regions:
        for number in range(1, count + 1):
            assert np.unique(objects[numbers == number]).size == 1
    assert np.unique(objects[objects > 0]).size == sum(count for _, count in regions)


def test_more_regions_than_colours_become_one_object_per_class(tmp_path):
    mask = np.random.default_rng(3).choice(np.array([0, 1, 2, 255], np.uint8), (60, 60))
    notes = written(tmp_path / "out", "cvat", {"a": mask, "b": example_masks.nested()})
    objects = read(tmp_path / "out/segmentation_mask.zip")["a"][1] @ np.array([65536, 256, 1])
    assert np.unique(objects).size == 4
    assert notes == ["1 image has more than 255 regions: one object per class there"]


def test_labels_for_the_task(tmp_path):
    written(tmp_path / "out", "cvat", {"a": example_masks.nested()})
    labels = json.loads((tmp_path / "out/labels.json").read_text())
    assert [label["name"] for label in labels] == ["background", "cat", "traffic light", "ignore"]
    assert [label["color"] for label in labels] == ["#000000", "#400000", "#400080", "#e0e0c0"]
    assert VALUES[1] == 8  # whose colour in VOC's palette is the first
