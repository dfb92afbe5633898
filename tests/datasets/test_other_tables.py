"""Tables beside the images that are not read: mentioned, with what to do about them."""

import json

import pytest
from builders import lines, photo

from auxseg.datasets.collect import collect
from auxseg.datasets.overview import overview
from auxseg.errors import DataError
from auxseg.params.data import DataParams

PARAMS = DataParams.parse({"format": "folder", "folder": {"images": "images"}})


@pytest.fixture
def root(tmp_path):
    """Four images with a CSV."""
    for name in "abcd":
        photo(tmp_path / f"images/{name}.jpg")
    lines(tmp_path / "image_labels.csv", "image_id,labels", "a,cat", "b,dog", "c,cat;dog", "d,")
    return tmp_path


def unread(root, params=PARAMS):
    return [line for line in overview(collect(root, params)).warnings() if "not read, because" in line]


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("labels.json", "set data.labels_file to it"),
        ("labels.tsv", "set data.labels_file to it"),
        ("old.csv", "set data.labels_file to it"),
        ("images/labels.json", "set data.labels_file to it"),
        ("labels.xlsx", "export it as CSV (Excel: CSV UTF-8) and set data.labels_file to the CSV"),
        ("images/labels.parquet", "export it as CSV (Excel: CSV UTF-8) and set data.labels_file to the CSV"),
        ("labels.txt", "write them as a CSV with the columns image_id,labels and set data.labels_file to the CSV"),
        ("images/a.txt", "write them into image_labels.csv, or set data.format to the tool that wrote them"),
        ("images/a.json", "write them into image_labels.csv, or set data.format to the tool that wrote them"),
    ],
)
def test_an_unread_table_is_mentioned(root, name, fix):
    lines(root / name, "x")
    expected = f"{name} is not read, because the labels come from image_labels.csv; if labels are there, {fix}"
    assert unread(root) == [expected]


def test_many_are_one_line(root):
    for name in "abcd":
        lines(root / f"images/{name}.txt", "0 0.5 0.5 1 1")
    (line,) = unread(root)
    assert line.startswith("images/a.txt, images/b.txt, images/c.txt and 1 more are not read, because")


def test_what_has_no_labels_is_not_mentioned(root):
    for name in ("README.txt", "LICENSE.txt", "classes.txt", "images/.hidden.csv", "images/Thumbs.db", "notes.md"):
        lines(root / name, "x")
    assert unread(root) == []


def test_what_is_read_is_not_mentioned(root):
    (root / "labels.json").write_text(json.dumps({name: ["cat"] for name in "abc"} | {"d": []}))
    params = PARAMS.model_copy(update={"labels_file": "labels.json"})
    (line,) = unread(root, params)
    assert line.startswith("image_labels.csv is not read, because the labels come from labels.json")


def test_a_table_beside_annotations(root):
    for folder, name in (("cats", "a"), ("dogs", "b")):
        photo(root / f"sets/{folder}/{name}.jpg")
    lines(root / "sets/labels.csv", "image_id,labels", "a,cat")
    params = DataParams.parse({"format": "class-folders", "folder": {"images": "."}})
    assert unread(root / "sets", params) == [
        "labels.csv is not read, because the labels come from the annotations; if labels are there, set data.format to "
        "folder and data.labels_file to it"
    ]


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("labels.csv", "'labels.csv' is there: set data.labels_file in params.yaml to it, or rename it"),
        ("tags.json", "'tags.json' is there: set data.labels_file in params.yaml to it, or rename it"),
        ("labels.xlsx", "'labels.xlsx' is there: export it as CSV (Excel: CSV UTF-8) to image_labels.csv"),
    ],
)
def test_a_missing_table_names_the_one_that_is_there(root, name, fix):
    (root / "image_labels.csv").unlink()
    (root / name).write_text("[]")
    with pytest.raises(DataError) as rejection:
        collect(root, PARAMS)
    assert fix in str(rejection.value)
