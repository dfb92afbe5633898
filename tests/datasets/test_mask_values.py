"""Masks in colours with a table of them, classes from 0 on, void values, and mmsegmentation's reduce_zero_label."""

import numpy as np
import pytest
from builders import lines, mask, photo
from PIL import Image

from auxseg.datasets.checks import decode_all
from auxseg.datasets.collect import collect
from auxseg.datasets.manifest import read_mask_form
from auxseg.datasets.mask_form import PLAIN, MaskForm
from auxseg.datasets.mask_reading import read_form
from auxseg.datasets.prepare import prepare
from auxseg.errors import DataError, ParamsError
from auxseg.params.data import DataParams

FOLDER = {"format": "folder", "folder": {"masks": "masks", "val_share": 0.0}}


@pytest.fixture
def root(tmp_path):
    for name in ("a", "b"):
        photo(tmp_path / f"images/{name}.jpg")
    lines(tmp_path / "image_labels.csv", "image_id,labels", "a,road;", "b,tree;road")
    return tmp_path


def first_row(root, params, name="a"):
    """Return the first row of a mask as class indices, and the class table; the form goes through its file's values."""
    found = collect(root, DataParams.parse({**FOLDER, **params}))
    form = MaskForm.of(found.form.stored())
    return read_form(root / f"masks/{name}.png", form, found.classes, params.get("unlisted", "error"))[
        0
    ].tolist(), found


def test_camvids_table_of_colours(root):
    lines(root / "class_dict.csv", "name,r,g,b", "tree,128,128,0", "road,128,64,128", "void,64,64,64")
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[0, :4] = [(128, 64, 128), (128, 128, 0), (64, 64, 64), (0, 0, 0)]
    for name in ("a", "b"):
        (root / "masks").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(root / f"masks/{name}.png")
    row, found = first_row(root, {"colours": "class_dict.csv", "classes": ["road", "tree"]})
    assert row == [1, 2, 255, 0, 0, 0]
    decode_all(root, found.images, found.classes, "error", found.form)
    assert first_row(root, {"colours": "class_dict.csv"})[0] == [1, 2, 255, 0, 0, 0]  # names decide, not numbers
    with pytest.raises(ParamsError, match=r"class_dict\.csv has no colour of 'car'"):
        first_row(root, {"colours": "class_dict.csv", "classes": ["road", "tree", "car"]})


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_colour_outside_data_classes_follows_unlisted(root, separator):
    rows = ("value,name,colour", "0,background,#000000", "1,road,#804080", "2,tree,#808000")
    lines(root / "colours.csv", *(row.replace(",", separator) for row in rows))  # Excel's in most of Europe is ;
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[0, :2] = [(128, 64, 128), (128, 128, 0)]
    (root / "masks").mkdir()
    Image.fromarray(pixels).save(root / "masks/a.png")
    params = {"colours": "colours.csv", "classes": ["road"], "unlisted": "ignore"}
    assert first_row(root, params)[0] == [1, 255, 0, 0, 0, 0]
    lines(root / "image_labels.csv", "image_id,labels", "a,road;", "b,road;")
    with pytest.raises(DataError, match=r"a\.png: class 'tree' is not in the class table \(road\)"):
        first_row(root, {"colours": "colours.csv", "classes": ["road"]})


def test_classes_from_0_on(root):
    mask(root / "masks/a.png", (0, 1, 255, 7))
    params = {"classes": {"road": 0, "tree": 1}, "background": 7}
    row, found = first_row(root, params)
    assert row == [1, 2, 255, 0, 1, 1]
    assert found.classes.values == (1, 2)  # what is written, because 0 has to be the background there
    assert first_row(root, {**params, "background": None, "unlisted": "ignore"})[0] == [1, 2, 255, 255, 1, 1]


def test_void_values(root):
    mask(root / "masks/a.png", (0, 1, 2, 9, 255))
    assert first_row(root, {"classes": ["road", "tree"], "void": [9]})[0] == [0, 1, 2, 255, 255, 0]


def test_values_that_may_be_written_stay(root):
    mask(root / "masks/a.png", (0, 8, 12, 9, 255))
    row, found = first_row(root, {"classes": {"road": 8, "tree": 12}, "void": [9]})
    assert (row, found.classes.values) == ([0, 1, 2, 255, 255, 0], (8, 12))


@pytest.mark.parametrize("kind", ["npy", "lists"])
def test_numbers_of_labels_are_mask_values_if_0_is_a_class(tmp_path, kind):
    for name in ("a", "b"):
        photo(tmp_path / f"JPEGImages/{name}.jpg")
    lines(tmp_path / "ImageSets/Segmentation/train.txt", *(["a", "b"] if kind == "npy" else ["a 0", "b 1"]))
    np.save(tmp_path / "l.npy", {"a": np.array([1, 0, 0]), "b": np.array([0, 1, 0])}, allow_pickle=True)
    classes = {"road": 0, "tree": 1, "car": 2}
    data = {"format": "voc", "labels": kind, "labels_file": "l.npy", "classes": classes, "val_split": None}
    assert collect(tmp_path, DataParams.parse({**data, "background": None})).tags == {"a": ("road",), "b": ("tree",)}
    shifted = {name: value + 1 for name, value in classes.items()}
    found = collect(tmp_path, DataParams.parse({**data, "classes": shifted}))
    assert found.tags == {"a": ("road",), "b": ("tree",)}


def test_reduce_zero_label_as_mmsegmentation_does_it(root):
    values = np.array([0, 1, 2, 255], np.uint8)
    mask(root / "masks/a.png", values.tolist())
    theirs = values.copy()  # mmseg/datasets/transforms/loading.py
    theirs[theirs == 0] = 255
    theirs = theirs - 1
    theirs[theirs == 254] = 255
    row, _ = first_row(root, {"classes": ["road", "tree"], "reduce_zero_label": True})
    # their first class has index 0, ours 1, because 0 is the background
    assert row == [255 if value == 255 else value + 1 for value in theirs.tolist()] + [255, 255]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"classes": {"road": 0}},
            r"within 1..254, because 0 is the background \(set data.background to null, or to its value",
        ),
        ({"classes": {"road": 3}, "background": 3}, "mask value 3 is also data.background, data.void"),
        ({"classes": {"road": 3}, "void": [3]}, "mask value 3 is also data.background, data.void"),
        ({"classes": ["road", "tree"], "void": [2]}, "mask value 2 is also data.background, data.void"),
        ({"classes": ["road", "tree"], "background": 2}, "mask value 2 is also data.background, data.void"),
        ({"classes": ["road"], "void": [0]}, "mask value 0 is data.background and in data.void; remove it"),
        ({"classes": ["road"], "void": [300]}, "data.void.*less than or equal to 254"),
        ({"bands": [0, 1, 2]}, "data.bands.*greater than or equal to 1"),
    ],
)
def test_values_that_contradict_each_other(params, message):
    with pytest.raises(ParamsError, match=message) as refusal:
        DataParams.parse(params)
    assert "{" not in str(refusal.value)


def test_a_mask_in_colours_is_told_to_need_their_table(root):
    (root / "masks").mkdir()
    Image.fromarray(np.ones((4, 6, 3), np.uint8)).save(root / "masks/a.png")
    with pytest.raises(DataError, match=r"a\.png: .* but this one is PNG of mode RGB; .* or set data\.colours if"):
        first_row(root, {"classes": ["road", "tree"]})


def test_how_masks_are_stored_is_no_part_of_what_trains(voc, tmp_path, monkeypatch):
    monkeypatch.setenv("AUXSEG_DATA", str(voc))
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)
    found = []
    for number, values in enumerate(({}, {"void": [7]})):
        params = DataParams.parse({"format": "voc", "classes": {"cat": 8, "dog": 12}, **values})
        out = tmp_path / str(number)
        prepare(params, ["00", "01"], out / "manifest", out / "masks", out / "contradictions.json")
        manifest = {path.relative_to(out): path.read_bytes() for path in (out / "manifest").rglob("*.*")}
        found.append((manifest, read_mask_form(out / "masks/form.json")))
    assert found[0][0] == found[1][0]
    assert found[0][1] == PLAIN != found[1][1]
