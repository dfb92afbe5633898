"""Format `label-studio`: brush regions unpacked as its editor does, polygons rasterised with scikit-image."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import example_masks
import numpy as np
import pytest
from example_masks import ALL, agreement, written
from skimage.draw import polygon2mask

NUMBERS = {"cat": 1, "traffic light": 2, "ignore": 255}


def unpack(content: list[int]) -> np.ndarray:
    """Unpack run lengths bit by bit, as `decode` of the editor's library rle-pack does."""
    bits = "".join(f"{byte:08b}" for byte in content)
    position = 0

    def take(count: int) -> int:
        nonlocal position
        position += count
        return int(bits[position - count : position], 2)

    total, word = take(32), take(5) + 1
    sizes = [take(4) + 1 for _ in range(4)]
    values: list[int] = []
    while len(values) < total:
        repeated = take(1)
        length = take(sizes[take(2)]) + 1
        values += [take(word)] * length if repeated else [take(word) for _ in range(length)]
    assert len(values) == total and len(bits) - position < 8
    return np.array(values)


def read(task: dict) -> np.ndarray:
    """Return class indices of a task."""
    (prediction,) = task["predictions"]
    mask = None
    for result in prediction["result"]:
        height, width = result["original_height"], result["original_width"]
        mask = np.zeros((height, width), np.uint8) if mask is None else mask
        value, kind = result["value"], result["type"]
        if kind == "brushlabels":
            region = unpack(value["rle"]).reshape(height, width, 4)[..., 3] == 255
        else:
            points = np.array(value["points"]) * (width, height) / 100
            region = polygon2mask((height, width), points[:, ::-1] - 0.5)
        (name,) = value[kind]
        assert (result["from_name"], result["to_name"]) == (kind.removesuffix("labels"), "image")
        mask[region] = NUMBERS[name]
    return mask


def tasks(folder: Path) -> list[dict]:
    return json.loads((folder / "tasks.json").read_text())


@pytest.mark.parametrize("options", [{}, {"shapes": "polygons", "tolerance": 0.0}])
def test_every_pixel_comes_back(options, tmp_path):
    masks = {key: mask for key, mask in ALL.items() if key != "empty"}
    written(tmp_path / "out", "label-studio", masks, **options)
    for task, mask in zip(tasks(tmp_path / "out"), masks.values(), strict=True):
        np.testing.assert_array_equal(read(task), mask, err_msg=task["data"]["image_id"])


def test_an_image_without_objects_has_a_task(tmp_path):
    written(tmp_path / "out", "label-studio", {"a": ALL["empty"]})
    (task,) = tasks(tmp_path / "out")
    assert task["predictions"] == [{"model_version": "auxseg r1", "result": []}]


def test_long_runs_are_split(tmp_path):
    mask = np.zeros((300, 400), np.uint8)  # 480,000 values, more than 16 bits can count
    mask[150:, :] = 1
    written(tmp_path / "out", "label-studio", {"a": mask})
    np.testing.assert_array_equal(read(tasks(tmp_path / "out")[0]), mask)


def test_simplified_polygons_differ_at_outlines_alone(tmp_path):
    mask = example_masks.blobs()
    written(tmp_path / "out", "label-studio", {"a": mask}, shapes="polygons")
    (task,) = tasks(tmp_path / "out")
    assert 0.98 < agreement(read(task), mask) < 1
    assert {result["type"] for result in task["predictions"][0]["result"]} >= {"polygonlabels"}


@pytest.mark.parametrize("tolerance", [1.0, 3.0])
def test_no_gap_of_background_opens_between_simplified_polygons(tolerance, tmp_path):
    masks = {"a": np.where(example_masks.blobs() == 0, 255, example_masks.blobs()), "b": example_masks.blobs(1)}
    written(tmp_path / "out", "label-studio", masks, shapes="polygons", tolerance=tolerance)
    for task, mask in zip(tasks(tmp_path / "out"), masks.values(), strict=True):
        example_masks.require_no_gaps(read(task), mask, tolerance)


@pytest.mark.parametrize(
    ("shapes", "kinds"), [("rle", ["BrushLabels"]), ("polygons", ["BrushLabels", "PolygonLabels"])]
)
def test_the_interface_has_every_control_and_label(shapes, kinds, tmp_path):
    written(tmp_path / "out", "label-studio", {"a": example_masks.nested()}, shapes=shapes)
    view = ElementTree.parse(tmp_path / "out/config.xml").getroot()
    assert [one.tag for one in view] == ["Image", *kinds]
    image, *controls = view
    assert image.attrib["name"] == "image" and image.attrib["value"] == "$image"
    for control in controls:
        assert [label.attrib["value"] for label in control] == list(NUMBERS)
        assert control.attrib["toName"] == "image"
    names = {control.attrib["name"] for control in controls}
    assert {result["from_name"] for result in tasks(tmp_path / "out")[0]["predictions"][0]["result"]} <= names


def test_urls(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a b.jpg").write_bytes(b"pixels")
    mask = {"a b": example_masks.nested()}
    written(tmp_path / "out", "label-studio", mask)
    assert tasks(tmp_path / "out")[0]["data"] == {"image": "/data/local-files/?d=images/a%20b.jpg", "image_id": "a b"}
    written(tmp_path / "web", "label-studio", mask, root=tmp_path, with_images=True, image_url="https://host/")
    assert tasks(tmp_path / "web")[0]["data"]["image"] == "https://host/images/a%20b.jpg"
    assert (tmp_path / "web/images/a b.jpg").read_bytes() == b"pixels"
