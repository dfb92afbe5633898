"""CVAT's colour masks: with the table of colours that CVAT writes, and back."""

import numpy as np
import pytest
from PIL import Image

from auxseg.errors import DataError
from auxseg.review.cvat import read_cvat, write_cvat

NAMES = ("background", "cat", "dog: big")
LABEL_MAP = (
    "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:52,209,183::\ndog: big:250,50,83::\nignore:9,9,9::\n"
)


@pytest.fixture
def export(tmp_path):
    """An export as CVAT makes it, with colours of its own choice."""
    colours = np.array([[[0, 0, 0], [52, 209, 183]], [[250, 50, 83], [9, 9, 9]]], np.uint8)
    for folder in ("SegmentationClass", "SegmentationObject"):
        (tmp_path / folder / "sub").mkdir(parents=True)
        Image.fromarray(colours).save(tmp_path / folder / "sub/a.png")
    (tmp_path / "labelmap.txt").write_text(LABEL_MAP)
    return tmp_path


def test_colours_are_those_of_the_table(export):
    (found,) = read_cvat(export, NAMES).items()
    assert found[0] == "sub/a" and found[1].tolist() == [[0, 1], [2, 255]] and found[1].dtype == np.uint8


def test_labels_come_back(tmp_path):
    label = np.random.default_rng(0).choice(np.array([0, 1, 2, 255], np.uint8), (9, 7))
    write_cvat(tmp_path, {"a": label}, NAMES)
    np.testing.assert_array_equal(read_cvat(tmp_path, NAMES)["a"], label)
    assert (tmp_path / "ImageSets/Segmentation/default.txt").read_text() == "a\n"
    assert (tmp_path / "labelmap.txt").read_text().splitlines()[2] == "cat:128,0,0::"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cat:52", "cow:52", r"labelmap\.txt line 3: class 'cow' is not one of cat, dog: big, background, ignore"),
        ("cat:52,209,183", "cat:52", r"labelmap\.txt line 3: not of the form"),
        ("ignore:9,9,9::\n", "", r"a\.png: colour #090909 is not in labelmap\.txt"),
    ],
)
def test_a_wrong_table_is_one_line(export, old, new, message):
    (export / "labelmap.txt").write_text(LABEL_MAP.replace(old, new))
    with pytest.raises(DataError, match=message):
        read_cvat(export, NAMES)


def test_an_export_without_masks_is_rejected(export):
    (export / "SegmentationClass/sub/a.png").unlink()
    with pytest.raises(DataError, match="no masks"):
        read_cvat(export, NAMES)
    (export / "SegmentationClass/a.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"a\.png: not a readable PNG"):
        read_cvat(export, NAMES)
