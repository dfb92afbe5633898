"""CVAT's "Segmentation mask 1.1", unpacked."""

import numpy as np
import pytest
from exports import SIZE, write_photo
from PIL import Image

from auxseg.datasets.annotations.recognise import recognise
from auxseg.encoded import PALETTE
from auxseg.errors import DataError
from auxseg.params.data import DataParams

LABELMAP = """# label:color_rgb:parts:actions
background:0,0,0::
traffic light:250,50,83::
cat:51,221,255::
"""
COLOURS = np.array([[0, 0, 0], [250, 50, 83], [51, 221, 255]], np.uint8)


def save(root, key, indices, images="JPEGImages", colours=COLOURS):
    write_photo(root / images / f"{key}.jpg")
    path = root / f"SegmentationClass/{key}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(colours[indices]).save(path)


def label(*values):
    indices = np.zeros(SIZE, np.uint8)
    for row, value in enumerate(values):
        indices[row] = value
    return indices


@pytest.fixture
def export(tmp_path):
    (tmp_path / "labelmap.txt").write_text(LABELMAP)
    save(tmp_path, "a", label(1))
    save(tmp_path, "cam 1/b", label(2, 1))
    lists = tmp_path / "ImageSets/Segmentation"
    lists.mkdir(parents=True)
    (lists / "Train.txt").write_text("a\n")
    (lists / "Validation.txt").write_text('"cam 1/b"\n')
    return tmp_path


def test_classes_tags_splits_and_masks(export, opened):
    data = opened(format="cvat")
    data.check()
    assert data.names == ("traffic light", "cat")
    assert data.tags == {"a": ("traffic light",), "cam 1/b": ("traffic light", "cat")}
    assert data.splits == {"a": "train", "cam 1/b": "val"}
    assert np.array_equal(data.mask("cam 1/b"), label(2, 1))
    assert recognise(export, DataParams.parse({"format": "folder"})) == ("cvat", "labelmap.txt")


def test_a_palette_png_is_read_by_its_colours_and_not_its_indices(export, opened):
    image = Image.fromarray(label(5, 7))  # other indices than those of the table
    palette = PALETTE.copy()
    palette[5], palette[7] = COLOURS[2], COLOURS[1]
    image.putpalette(palette.tobytes())
    image.save(export / "SegmentationClass/a.png")
    assert np.array_equal(opened(format="cvat").mask("a"), label(2, 1))


def test_images_apart_from_the_export_and_without_a_mask(tmp_path, opened):
    (tmp_path / "labelmap.txt").write_text(LABELMAP)
    save(tmp_path, "a", label(1), images="images")
    write_photo(tmp_path / "images/b.jpg")
    data = opened(format="cvat", folder={"val_share": 0.0})
    assert data.tags == {"a": ("traffic light",)}
    assert (data.found.notes, data.found.without_row) == ((), ("b",))


def test_a_smoothed_mask_is_rejected_with_the_nearest_class(export, opened):
    pixels = COLOURS[label(1)]
    pixels[1, 1] = (250, 50, 80)
    Image.fromarray(pixels).save(export / "SegmentationClass/a.png")
    with pytest.raises(DataError, match=r"a\.png: colour 250,50,80 has no class \(the nearest is 250,50,83, traffic"):
        opened(format="cvat").check()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cat:1,2,3::\ndog:1,2,3::\n", "line 2: 'dog' has the colour of 'cat'"),
        ("cat:1,2,300::\n", "line 1: colour .* is not within 0..255"),
        ("cat:1,2,3::\ndog\n", "line 2: 'dog' is not `name:r,g,b::`"),
        ("", "lists no colour"),
    ],
)
def test_damaged_label_maps_are_rejected(export, opened, text, message):
    (export / "labelmap.txt").write_text(text)
    with pytest.raises(DataError, match=rf"labelmap\.txt.*{message}"):
        opened(format="cvat")


def test_a_list_that_is_not_utf_8_is_named(export, opened):
    (export / "ImageSets/Segmentation/Train.txt").write_bytes("é\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"Train\.txt: not a UTF-8 text .* save it again as UTF-8"):
        opened(format="cvat")
