"""Labels from CSV, XML and .npy."""

import numpy as np
import pytest
from builders import lines

from auxseg.datasets.csv_tags import read_csv_tags
from auxseg.datasets.tags import image_id, listed_id, read_npy_tags, read_xml_tags
from auxseg.errors import DataError


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
    # a cell of a CSV is an id: what has a folder is refused when the photographs are looked for
    assert image_id("dogs/001.jpg") == "dogs/001"


def names(path, known):
    return {key: row.names for key, row in read_csv_tags(path, known).rows.items()}


@pytest.mark.parametrize("known", [None, ["cat", "dog", "traffic light"]])
def test_separators(tmp_path, known):
    path = tmp_path / "a.csv"
    lines(path, "image_id,labels", "a,cat dog", "b,cat", "c,", "d,cat  cat")
    assert names(path, known) == {"a": ("cat", "dog"), "b": ("cat",), "c": (), "d": ("cat",)}
    lines(path, "image_id,labels", "a,traffic light;cat", "b, traffic light ", "c,dog;")
    assert names(path, known) == {"a": ("traffic light", "cat"), "b": ("traffic light",), "c": ("dog",)}


def test_known_names_with_spaces_need_no_semicolon(tmp_path):
    lines(tmp_path / "a.csv", "image_id,labels", "a,traffic light", "b,cat dog")
    assert names(tmp_path / "a.csv", ["traffic light", "cat", "dog"]) == {"a": ("traffic light",), "b": ("cat", "dog")}


def test_line_numbers_count_blank_lines(tmp_path):
    lines(tmp_path / "a.csv", "image_id,labels", "", "a,cat")
    assert read_csv_tags(tmp_path / "a.csv", None).rows["a"].where.endswith("a.csv line 3")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: no column 'image_id'"),
        (b"id,labels\n", "line 1: no column 'image_id'"),
        (b"image_id,label\n", "line 1: no column 'labels'"),
        (b"image_id,labels,Labels\na,cat,dog\n", "line 1: column 'labels' stands twice; remove one"),
        (b"image_id,labels\na,cat,dog\n", "line 2: more cells than the header; .* not by a comma"),
        (b"image_id,labels\n\xff,cat\n", "not a UTF-8 CSV"),
        (b'image_id,labels\n"a,cat\n', "line 2: no CSV .*; mend its quotes"),
    ],
)
def test_broken_csv(tmp_path, content, message):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.csv.*{message}"):
        read_csv_tags(tmp_path / "a.csv", None)


def test_a_split_is_a_split_however_its_column_is_written(tmp_path):
    (tmp_path / "a.csv").write_text("Image_ID, Labels, Split\na,cat, val\n")
    assert read_csv_tags(tmp_path / "a.csv", None).rows["a"].split == "val"


def test_byte_order_mark(tmp_path):
    (tmp_path / "a.csv").write_bytes("image_id,labels\na,Käfer\n".encode("utf-8-sig"))
    assert names(tmp_path / "a.csv", None) == {"a": ("Käfer",)}


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
        ("<annotation><object>", "no valid XML"),
        ("", "no valid XML"),
        ('<?xml version="1.0" encoding="gbk"?><annotation/>', "no valid XML .* save it as UTF-8"),
        ('<?xml version="1.0" encoding="foo"?><annotation/>', "no valid XML .* save it as UTF-8"),
        ("<annotation><object/></annotation>", "without <name>"),
    ],
)
def test_refused_xml(tmp_path, content, message):
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
        ([1, 2], "holds no dictionary"),
    ],
)
def test_refused_npy(tmp_path, value, message):
    np.save(tmp_path / "a.npy", np.array(value, object) if isinstance(value, dict) else value)
    with pytest.raises(DataError, match=rf"a\.npy.*{message}"):
        read_npy_tags(tmp_path / "a.npy", {1: "a", 2: "b"})
