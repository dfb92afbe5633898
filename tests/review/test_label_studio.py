"""Label Studio's JSON: polygons in per cent, brush strokes in its own code, and which annotation of a task counts."""

import json

import numpy as np
import pytest

from auxseg.errors import DataError
from auxseg.review.label_studio import read_label_studio, write_label_studio

NAMES = ("background", "cat", "dog")
STROKE = [0, 0, 0, 48, 57, 27, 254, 19, 0, 159, 255, 9, 128, 0]
"""By mask2rle of label-studio-sdk 2.1.2: 3 rows of 4 pixels, the two in the middle of the second row painted."""


def result(kind="brushlabels", name="cat", width=4, height=3, **value):
    value = value or {"format": "rle", "rle": STROKE}
    return {
        "id": "x",
        "from_name": "label",
        "to_name": "image",
        "type": kind,
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {**value, kind: [name]},
    }


def task(*results, annotations=None, image="/data/local-files/?d=images/a.jpg", **data):
    annotations = [{"result": list(results)}] if annotations is None else annotations
    return {"id": 1, "data": {"image": image, **data}, "annotations": annotations}


def read(tmp_path, *tasks):
    (tmp_path / "x.json").write_text(json.dumps(tasks))
    return read_label_studio(tmp_path / "x.json", NAMES)


def test_brush_strokes_and_polygons(tmp_path):
    square = result("polygonlabels", "dog", points=[[0, 0], [25, 0], [25, 100 / 3], [0, 100 / 3]], closed=True)
    found = read(tmp_path, task(square, result()))
    assert {key: label.tolist() for key, label in found.items()} == {"a": [[2, 2, 0, 0], [2, 1, 1, 0], [0, 0, 0, 0]]}


def test_the_last_annotation_that_was_not_cancelled_counts(tmp_path):
    annotations = [{"result": [result(name="dog")]}, {"result": [result()]}, {"result": [], "was_cancelled": True}]
    found = read(tmp_path, task(annotations=annotations, image_id="b/c"), task(annotations=[]))
    assert {key: label.max() for key, label in found.items()} == {"b/c": 1}


def test_labels_come_back(tmp_path):
    label = np.random.default_rng(0).choice(np.array([0, 1, 2, 255], np.uint8), (9, 7))
    write_label_studio(tmp_path / "x.json", {"s/a": label}, {"s/a": "images/s/a.jpg"}, NAMES, 0)
    found = read_label_studio(tmp_path / "x.json", NAMES)
    assert list(found) == ["s/a"]
    np.testing.assert_array_equal(found["s/a"], label)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (result(name="cow"), "result 1: class 'cow' is not one of cat, dog, _background_, __ignore__"),
        (result("rectanglelabels"), "result 1: type rectanglelabels has no area"),
        (result(width=5), "result 1: not a polygon or brush stroke"),
        (result(format="rle", rle=STROKE[:-3]), "result 1: not a polygon or brush stroke"),
        ({}, "result 1: not a polygon or brush stroke"),
    ],
)
def test_a_wrong_result_is_one_line(tmp_path, wrong, message):
    with pytest.raises(DataError) as caught:
        read(tmp_path, task(wrong))
    assert str(caught.value).startswith(f"{tmp_path}/x.json task 1 {message}")


def test_an_image_that_appears_twice_and_another_list(tmp_path):
    with pytest.raises(DataError, match="task 2: 'a' appears twice"):
        read(tmp_path, task(result()), task(result()))
    with pytest.raises(DataError, match="task 1: not a task of Label Studio"):
        read(tmp_path, 7)
