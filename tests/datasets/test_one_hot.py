"""Tables with one column a class, as Roboflow, pandas and scikit-learn write them; labels in JSON."""

import json

import pandas as pd
import pytest

from auxseg.datasets.csv_tags import read_csv_tags
from auxseg.datasets.json_tags import read_json_tags
from auxseg.datasets.problems import Problems
from auxseg.errors import DataError
from auxseg.findings import Findings

EXPECTED = {"a": ("cat",), "b": ("cat", "traffic light"), "c": ()}
HOT = pd.DataFrame({"cat": [1, 1, 0], "traffic light": [0, 1, 0]}, index=["a.jpg", "b.jpg", "c.jpg"])


def names(path, known=None):
    return {key: row.names for key, row in read_csv_tags(path, known).rows.items()}


@pytest.mark.parametrize(
    "text",
    [
        "filename, cat, traffic light\na.jpg, 1, 0\nb.jpg, 1, 1\nc.jpg, 0, 0\n",  # Roboflow
        HOT.to_csv(),
        HOT.reset_index(names="image_id").to_csv(),
        HOT.astype(float).to_csv(index_label="image"),
        HOT.astype(bool).to_csv(index_label="image_id", sep=";"),
        "image_id,split,cat,traffic light\na,train,1,\nb,val,1,1\nc,train,,\n",
        "image_id,group,cat,traffic light\na,x,1,0\nb,y,1,1\nc,,0,0\n",
        "image_id,cat,traffic light,,\na,1,0,,\nb,1,1,,\n,,,,\nc,0,0,,\n",
        "image_id;cat;traffic light\na;1,0;0,0\nb;1,00;1,00\nc;0,0;0,0\n",
    ],
    ids=["roboflow", "pandas", "numbered", "floats", "bools", "blanks", "groups", "excel", "decimal commas"],
)
def test_one_hot_tables(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    assert names(tmp_path / "a.csv") == EXPECTED


def test_one_hot_columns_are_spelt_as_in_data_classes(tmp_path):
    (tmp_path / "a.csv").write_text("image_id,Cat,TRAFFIC LIGHT\na,1,0\nb,1,1\nc,0,0\n")
    assert names(tmp_path / "a.csv", ["cat", "traffic light"]) == EXPECTED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image_id,cat,dog\na,1,0\nb,0.7,0\n", r"a\.csv line 3: column 'cat' has '0\.7', expected 0 or 1"),
        ("image_id,cat,dog\na,1,0\nb,-1,0\n", r"a\.csv line 3: column 'cat' has '-1'"),
        ("image_id,cat,dog\na,1,0\nb,1\n", r"a\.csv line 3: fewer cells than the header"),
        (
            "image_id,cat,dog\na,0.9,0.1\n",
            r"line 2: column 'cat' has '0\.9', .* 1 where the image shows 'cat'.*'dog'\)$",
        ),
        (
            "image_id,width,height,cat\na,640,480,1\n",
            r"line 2: column 'width' has '640', .* remove the column if it is not a class \(and 1 more: column "
            r"'height'\)",
        ),
        (
            "image_id,cat\na,1\nb,3\n",
            r"line 3: column 'cat' has '3', expected 0 or 1; write 1 if the image shows 'cat'",
        ),
        ("image_id,cat,dog\na,1,0,1\n", "line 2: more cells .* give every column a name"),
        ("image_id,cat,,dog\na,1,0,1\n", r"line 1: no column 'labels' .*\(column 3 has no name\)"),
        ("id,file,cat\n1,a,1\n", r"line 1: columns 'id' and 'file' mean the same \(image_id\)"),
        ("image_id;cat\na;WAHR\n", r"one column for each class, with 0 and 1 \(column 'cat' has 'WAHR' in line 2\)"),
        ("image_id,width,height\na,640,480\n", r"a\.csv line 1: no column 'labels' \(found: image_id, width, height\)"),
        ("cat,dog\n1,0\n", r"a\.csv line 1: no column 'image_id'"),
        ("image_id,cat,dog\na,1,0\na,0,1\n", r"a\.csv line 3: id 'a' is listed twice"),
    ],
)
def test_what_is_no_one_hot_table(tmp_path, text, message):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_csv_tags(tmp_path / "a.csv", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "image_id,cat,dog\na,1,\nb,,1\n",
            "labels: 2 empty cells of classes are read as 0, the first is column 'dog' in line 2; write 1 where the "
            "image shows the class",
        ),
        (
            "image_id,cat,dog\na,1,0\n",
            "labels: column without any 1: dog; nothing can be learned about such a class",
        ),
        (
            "image_id,group,cat\na,0,1\nb,1,0\n",
            "labels: column 'group' keeps images with the same value in one split and is not a class, though it has "
            "only 0 and 1; if it is a class, give it another name",
        ),
        (
            "image_id,labels,cat,dog\na,cat,1,0\nb,dog,0,1\n",
            "labels: column 'labels' has the labels, and 2 columns of 0 and 1 are not read: cat, dog",
        ),
        (
            "image_id,tags,cat,dog\na,cat,1,0\nb,dog,1,1\nc,,0,0\n",
            "labels: column 'tags' has the labels, and 2 columns of 0 and 1 are not read: cat, dog; in 1 of 3 rows "
            "they say otherwise, first in line 3; to read them instead, remove column 'tags'",
        ),
        (
            "image_id,labels,difficult,area\na,cat,1,7\nb,dog,0,8\n",
            "labels: column 'labels' has the labels, and 1 column of 0 and 1 is not read: difficult; to read them "
            "instead, remove column 'labels'",
        ),
    ],
)
def test_what_is_odd_but_legal_is_noted(tmp_path, text, expected):
    (tmp_path / "a.csv").write_text(text)
    assert read_csv_tags(tmp_path / "a.csv", None).notes == (expected,)


def test_columns_that_are_no_classes_are_found_once_each(tmp_path):
    rows = "".join(f"{number},{640 + number},0.5,1,0\n" for number in range(30))
    (tmp_path / "a.csv").write_text(f"image_id,width,cat,dog,cow\n{rows}30,640,0.2,2,0\n")
    findings = Findings()
    read_csv_tags(tmp_path / "a.csv", None, Problems(findings))
    (lines,) = findings.found.values()
    assert [line.partition("; ")[0].partition(".csv ")[2] for line in lines] == [
        "line 2: column 'width' has '640', expected 0 or 1",
        "line 2: column 'cat' has '0.5', expected 0 or 1",
        "line 32: column 'dog' has '2', expected 0 or 1",
    ]


@pytest.mark.parametrize(
    "value",
    [
        {"a.jpg": ["cat"], "b.jpg": ["cat", "traffic light"], "c.jpg": []},
        {"a": "cat", "b": "cat, traffic light", "c": ""},
        {"a": "cat", "b": {"cat": 1, "traffic light": True}, "c": {"cat": 0}},
        [
            {"image": "a.jpg", "labels": "cat"},
            {"image": "b.jpg", "tags": ["cat", "traffic light"]},
            {"file_name": "c.jpg", "labels": []},
        ],
        {"info": {"year": 2026}, "images": [{"file_name": "a.jpg", "labels": [{"name": "cat", "id": 1}]}]}
        | {"images": [{"file_name": "a.jpg", "labels": [{"name": "cat"}]}, {"file_name": "b.jpg", "labels": ["cat"]}]},
    ],
    ids=["lists", "cells", "texts", "entries", "nested"],
)
def test_json(tmp_path, value):
    (tmp_path / "a.json").write_text(json.dumps(value))
    found = {key: row.names for key, row in read_json_tags(tmp_path / "a.json", None).rows.items()}
    expected = {"a": ("cat",), "b": ("cat",)} if isinstance(value, dict) and "info" in value else EXPECTED
    assert found == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": [["cat"]]}', r"entry 'a': \[\"cat\"\] is not the name of a class"),
        ('{"a": {"cat": 0.7}}', r"entry 'a': {\"cat\": 0\.7} is not a list of class names"),
        ('{"a": [1]}', "entry 'a': 1 is not the name of a class"),
        ('{"a": null}', "entry 'a': null is not a list of class names"),
        ('{"a": ["c[at"]}', r"entry 'a': label 'c\[at' has a \[ inside"),
        ('[{"image": "a"}]', "entry 1: has no image or no labels"),
        ('["a"]', "entry 1: has no image or no labels"),
        ('[{"image": "a", "path": "b", "labels": []}]', r"entry 1: 'image' and 'path' mean the same \(image_id\)"),
        ('{"a": ["cat"], "a": ["dog"]}', "'a' appears twice"),
        ('{"a": ["cat"], "a.jpg": ["dog"]}', "entry 'a': is listed twice"),
        ("cat", "not JSON"),
        ("3", "neither an object nor a list"),
    ],
)
def test_what_json_is_rejected(tmp_path, text, message):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=message):
        read_json_tags(tmp_path / "a.json", None)


def test_json_has_groups_and_numbers_beside_file_names(tmp_path):
    entries = [{"id": 7, "file_name": "a.jpg", "labels": ["cat"], "group": "x"}, {"id": 8, "labels": [], "group": 3}]
    (tmp_path / "a.json").write_text(json.dumps(entries))
    rows = read_json_tags(tmp_path / "a.json", None).rows
    assert {key: (row.names, row.group) for key, row in rows.items()} == {"a": (("cat",), "x"), "8": ((), "3")}
