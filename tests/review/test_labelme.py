"""labelme's files: shapes as labelme saves them, against pixels counted by hand."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from auxseg.errors import DataError
from auxseg.review.labelme import labelme_content, read_labelme

NAMES = ("background", "cat", "dog")


def shape(label="cat", points=((1, 1), (4, 1), (4, 3), (1, 3)), kind="polygon", **more):
    """A shape as labelme 5.5 writes it."""
    rest = {"group_id": None, "description": "", "flags": {}, "mask": None, **more}
    return {"label": label, "points": [list(point) for point in points], "shape_type": kind, **rest}


def save(path, *shapes, **more):
    size = {"imageHeight": 6, "imageWidth": 8}
    content = {"version": "5.5.0", "flags": {}, "shapes": list(shapes), "imagePath": "a.jpg", "imageData": None}
    path.write_text(json.dumps({**content, **size, **more}, indent=2))
    return path


def test_shapes_cover_each_other_in_their_order(tmp_path):
    """Pixels of an outline belong to its shape; what nothing covers is background."""
    hole = shape("_background_", ((2, 2), (3, 2)), "rectangle")
    open_ = shape("__ignore__", ((6, 4), (7, 5)), "rectangle")
    label = read_labelme(save(tmp_path / "a.json", shape(), shape("dog", ((4, 2), (4, 2), (4, 2))), hole, open_), NAMES)
    assert label.dtype == np.uint8
    assert label.tolist() == [
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 0, 0, 0],
        [0, 1, 0, 0, 2, 0, 0, 0],
        [0, 1, 1, 1, 1, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 255, 255],
        [0, 0, 0, 0, 0, 0, 255, 255],
    ]


def test_circles_and_masks(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(np.array([[1, 0, 1]], np.uint8)).save(buffer, "PNG")
    mask = base64.b64encode(buffer.getvalue()).decode()
    shapes = shape(points=((2, 2), (3, 2)), kind="circle"), shape("dog", ((5, 5), (7, 5)), "mask", mask=mask)
    label = read_labelme(save(tmp_path / "a.json", *shapes), NAMES)
    assert np.argwhere(label == 1).min() == 1 and label[2, 1:4].all() and (label == 1).sum() in (5, 9)
    assert np.argwhere(label == 2).tolist() == [[5, 5], [5, 7]]


def test_a_label_comes_back(tmp_path):
    label = np.random.default_rng(0).choice(np.array([0, 1, 2, 255], np.uint8), (9, 7))
    (tmp_path / "a.json").write_text(json.dumps(labelme_content(label, NAMES, "a.jpg", 0)))
    np.testing.assert_array_equal(read_labelme(tmp_path / "a.json", NAMES), label)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"label": "cow"}, "shape 1: class 'cow' is not one of cat, dog, _background_, __ignore__; rename it"),
        ({"kind": "line"}, "shape 1: a line of 'cat' has no area"),
        ({"points": ((1, 1), (2, 2))}, "shape 1: a polygon of 2 points"),
        ({"points": ((1, 1), (2, 2), (float("nan"), 3))}, "shape 1: a point is far outside the image"),
        ({"points": ((0, 0), (1, 1)), "kind": "mask", "mask": "???"}, "shape 1: its mask is not a PNG"),
    ],
)
def test_a_wrong_shape_is_one_line(tmp_path, wrong, message):
    with pytest.raises(DataError) as caught:
        read_labelme(save(tmp_path / "a.json", shape(**wrong)), NAMES)
    assert str(caught.value).startswith(f"{tmp_path}/a.json {message}") and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"shapes": []}', '{"shapes": [], "imageHeight": -1}'])
def test_another_file_is_rejected(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=r"a\.json: "):
        read_labelme(tmp_path / "a.json", NAMES)
