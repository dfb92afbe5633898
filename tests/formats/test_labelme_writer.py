"""Format `labelme`, rasterised with Pillow as labelme does: one filled polygon after the other, with its outline."""

import json
from pathlib import Path

import example_masks
import numpy as np
import pytest
from example_masks import ALL, NAMES, agreement, written
from PIL import Image, ImageDraw


def read(path: Path, labels: Path) -> np.ndarray:
    """Return class indices as labelme's converter to VOC does: the first line of labels.txt is -1, stored as 255."""
    content = json.loads(path.read_text())
    numbers = {name: number - 1 for number, name in enumerate(labels.read_text().splitlines())}
    assert list(numbers)[:2] == ["__ignore__", "_background_"]
    image = Image.new("L", (content["imageWidth"], content["imageHeight"]))
    for shape in content["shapes"]:
        assert shape["shape_type"] == "polygon" and len(shape["points"]) >= 3
        value = numbers[shape["label"]] % 256
        ImageDraw.Draw(image).polygon([tuple(point) for point in shape["points"]], outline=value, fill=value)
    return np.asarray(image)


@pytest.mark.parametrize("key", ALL)
def test_every_pixel_comes_back(key, tmp_path):
    written(tmp_path / "out", "labelme", {key: ALL[key]}, root=tmp_path, tolerance=0.0)
    np.testing.assert_array_equal(read(tmp_path / f"out/{key}.json", tmp_path / "out/labels.txt"), ALL[key])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_simplified_polygons_differ_at_outlines_alone(seed, tmp_path):
    mask = example_masks.blobs(seed)
    written(tmp_path / "out", "labelme", {"a": mask}, root=tmp_path)
    written(tmp_path / "exact", "labelme", {"a": mask}, root=tmp_path, tolerance=0.0)
    found = read(tmp_path / "out/a.json", tmp_path / "out/labels.txt")
    assert 0.97 < agreement(found, mask) < 1
    points = [
        sum(len(shape["points"]) for shape in json.loads((tmp_path / folder / "a.json").read_text())["shapes"])
        for folder in ("out", "exact")
    ]
    assert points[0] < 0.5 * points[1]


@pytest.mark.parametrize("tolerance", [1.0, 3.0])
def test_no_gap_of_background_opens_between_simplified_polygons(tolerance, tmp_path):
    masks = {"a": np.where(example_masks.blobs() == 0, 255, example_masks.blobs()), "b": example_masks.blobs(1)}
    written(tmp_path / "out", "labelme", masks, root=tmp_path, tolerance=tolerance)
    for key, mask in masks.items():
        found = read(tmp_path / f"out/{key}.json", tmp_path / "out/labels.txt")
        example_masks.require_no_gaps(found, mask, tolerance)


def test_the_path_leads_to_the_image(tmp_path):
    (tmp_path / "set/images").mkdir(parents=True)
    (tmp_path / "set/images/a.jpg").write_bytes(b"pixels")
    mask = {"a": example_masks.nested()}
    written(tmp_path / "out", "labelme", mask, root=tmp_path / "set")
    content = json.loads((tmp_path / "out/a.json").read_text())
    assert (tmp_path / "out" / content["imagePath"]).read_bytes() == b"pixels"
    assert content["imagePath"] == "../set/images/a.jpg" and content["imageData"] is None
    written(tmp_path / "copies", "labelme", mask, root=tmp_path / "set", with_images=True)
    assert json.loads((tmp_path / "copies/a.json").read_text())["imagePath"] == "a.jpg"
    assert (tmp_path / "copies/a.jpg").read_bytes() == b"pixels"


def test_labels_are_those_of_the_class_table(tmp_path):
    written(tmp_path / "out", "labelme", {"a": example_masks.nested()}, root=tmp_path)
    assert (tmp_path / "out/labels.txt").read_text().splitlines() == ["__ignore__", "_background_", *NAMES[1:]]
