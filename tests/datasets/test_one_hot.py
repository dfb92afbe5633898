"""Tables with one column a class, as Roboflow, pandas and scikit-learn write them; labels in JSON."""

import json

import pandas as pd
import pytest

from auxseg.datasets.csv_tags import read_csv_tags
from auxseg.datasets.json_tags import read_json_tags
from auxseg.errors import DataError

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
    ],
    ids=["roboflow", "pandas", "numbered", "floats", "bools", "blanks"],
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
