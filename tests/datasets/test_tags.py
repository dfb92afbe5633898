"""Ids, and labels from XML and .npy."""

import numpy as np
import pytest
from builders import lines, photo

from auxseg.datasets.collect import collect
from auxseg.datasets.tags import image_id, listed_id, read_npy_tags, read_xml_tags
from auxseg.errors import DataError
from auxseg.params.data import COCO_CLASSES, DataParams


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2007_000032", "2007_000032"),
        (" a.jpg ", "a"),
        ("a.v2", "a.v2"),
        ("a.v2.PNG", "a.v2"),
        (".jpg", ".jpg"),
        ("my cat 1.jpg", "my cat 1"),
    ],
)
def test_ids(text, expected):
    assert image_id(text) == listed_id(text) == expected


def test_ids_in_lists_of_paths():
    assert listed_id("/JPEGImages/a.jpg /SegmentationClassAug/a.png\n") == "a"
    # a cell of a CSV is an id: what has a folder is rejected when the images are looked for
    assert image_id("dogs/001.jpg") == "dogs/001"


XML = """<?xml version="1.0"?>
<annotation><filename>a.jpg</filename><owner><name>somebody</name></owner>
<object><name>person</name><difficult>0</difficult><part><name>head</name></part></object>
<object><name>person</name><difficult>1</difficult></object>
<object><name>chair</name><difficult>1</difficult></object>
<object><name>car</name></object></annotation>"""


@pytest.mark.parametrize(("difficult", "expected"), [(True, ("person", "chair", "car")), (False, ("person", "car"))])
def test_xml_objects_without_parts_and_owners(tmp_path, difficult, expected):
    lines(tmp_path / "a.xml", XML)
    assert read_xml_tags(tmp_path, ["a", "absent"], difficult)["a"].names == expected
    assert "absent" not in read_xml_tags(tmp_path, ["a", "absent"], difficult)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('<!DOCTYPE a [<!ENTITY b "cat">]><a><object><name>&b;</name></object></a>', "declares a document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "declares a document type"),
        ("<annotation><object>", "not valid XML"),
        ("", "not valid XML"),
        ('<?xml version="1.0" encoding="gbk"?><annotation/>', "not valid XML .* save it as UTF-8"),
        ('<?xml version="1.0" encoding="foo"?><annotation/>', "not valid XML .* save it as UTF-8"),
        ("<annotation><object/></annotation>", "without <name>"),
    ],
)
def test_rejected_xml(tmp_path, content, message):
    (tmp_path / "a.xml").write_text(content)
    with pytest.raises(DataError, match=rf"a\.xml: .*{message}"):
        read_xml_tags(tmp_path, ["a"], True)


def test_no_annotations(tmp_path):
    with pytest.raises(DataError, match=r"Annotations: no such folder; .* set data\.labels"):
        read_xml_tags(tmp_path / "Annotations", ["a"], True)


def test_npy_columns_of_voc_and_of_other_sets(tmp_path):
    voc = np.zeros(20, np.float32)
    voc[[0, 14, 19]] = 1
    np.save(tmp_path / "a.npy", {"x": voc, 2007000032: np.array([0.0, 1.0, 1.0])})
    tags = read_npy_tags(tmp_path / "a.npy", {2: "b", 3: "c"})
    assert tags["x"].names == ("aeroplane", "person", "tvmonitor")
    assert tags["2007_000032"].names == ("b", "c")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"x": np.array([1.0, 0.5])}, "entry 'x': expected a vector of 0 and 1"),
        ({"x": [1, [0, 1]]}, "entry 'x': expected a vector of 0 and 1"),
        ({"x": "cat"}, "entry 'x': expected a vector of 0 and 1"),
        ({"x": np.array([0, 0, 1])}, "entry 'x': column 2 has no class; .* value 3"),
        ([1, 2], "not a dictionary"),
    ],
)
def test_rejected_npy(tmp_path, value, message):
    np.save(tmp_path / "a.npy", np.array(value, object) if isinstance(value, dict) else value)
    with pytest.raises(DataError, match=rf"a\.npy.*{message}"):
        read_npy_tags(tmp_path / "a.npy", {1: "a", 2: "b"})


def test_integer_keys_of_coco_find_the_ids_of_the_lists(tmp_path):
    hot = np.zeros(80, np.float32)
    hot[[0, 79]] = 1
    np.save(tmp_path / "cls_labels_coco.npy", {9: hot, 581929: hot})
    names = dict(enumerate(COCO_CLASSES, 1))
    ids = ["COCO_train2014_000000000009", "COCO_val2014_000000581929"]
    tags = read_npy_tags(tmp_path / "cls_labels_coco.npy", names, ids)
    assert list(tags) == ids
    assert {row.names for row in tags.values()} == {("person", "toothbrush")}


def voc_with_numbers(root, *train):
    for name in ("2007_000032", "2007_000039"):
        photo(root / f"JPEGImages/{name}.jpg")
    lines(root / "ImageSets/Segmentation/train.txt", *train)
    return collect(root, DataParams.parse({"format": "voc", "labels": "lists", "val_split": None}))


def test_lists_with_class_numbers(tmp_path):
    found = voc_with_numbers(tmp_path, "2007_000032 0 14", "/JPEGImages/2007_000039.jpg 19")
    assert found.tags == {"2007_000032": ("aeroplane", "person"), "2007_000039": ("tvmonitor",)}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2007_000032 cat", r"train\.txt line 1: expected an id and class numbers, .* not '2007_000032 cat'"),
        ("2007_000032 20", r"train\.txt line 1: class number 20 has no class; numbers count from 0"),
    ],
)
def test_lists_with_something_else(tmp_path, line, message):
    with pytest.raises(DataError, match=message):
        voc_with_numbers(tmp_path, line)
