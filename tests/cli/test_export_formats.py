"""`auxseg export labels --format`, in a small project with artifacts written by hand."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import small_project
from PIL import Image
from pycocotools.coco import COCO
from small_project import LABEL, RECORD

from auxseg.cli.main import main
from auxseg.formats.export import FORMATS


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    small_project.make_project(tmp_path, monkeypatch)


def export(name: str, *more: str) -> int:
    return main(["export", "labels", "--round", "r1", "--format", name, *more, "--to", "out"])


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_the_tables_and_says_how_many(name, capsys):
    assert export(name, "--split", "all") == 0
    with Path("out/masks.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["image_id"], row["kind"], row["file"]) for row in rows] == [
        ("a", "label", ""),
        ("b", "prediction", ""),
        ("c", "prediction", ""),
    ]
    values = [1, 2] if name == "mmseg" else [8, 12]
    lines = Path("out/classes.csv").read_text().splitlines()
    assert [int(line.split(",")[0]) for line in lines[2:4]] == values
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"3 masks of r1 in out, format {name}; masks.csv lists them, classes.csv the classes"


@pytest.mark.parametrize("name", FORMATS)
def test_what_has_no_mask_is_explained(name, capsys):
    assert export(name) == 0
    assert "2 val images have no mask here: --split all writes the predictions too" in capsys.readouterr().out


def test_labels_and_predictions_are_two_files_of_coco():
    assert export("coco", "--split", "all", "--with-images") == 0
    train, val = (COCO(f"out/annotations/instances_{split}.json") for split in ("train", "val"))
    assert [image["file_name"] for image in val.dataset["images"]] == ["b.jpg", "c.jpg"]
    assert Image.open("out/images/b.jpg").size == (24, 16)
    found = np.zeros((16, 24), int)
    for annotation in train.dataset["annotations"]:
        found += train.annToMask(annotation).astype(int) * annotation["category_id"]
    expected = np.array([0, 8, 12])[LABEL]
    expected[0, 0] = 255
    np.testing.assert_array_equal(found, expected)


def test_indices_instead_of_mask_values():
    assert export("coco", "--indices") == 0
    assert [one["id"] for one in COCO("out/annotations/instances_train.json").dataset["categories"]] == [1, 2, 255]


def test_labelme_leads_to_the_data_root():
    assert export("labelme", "--tolerance", "0") == 0
    assert json.loads(Path("out/a.json").read_text())["imagePath"] == f"../set/{RECORD.path}"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("png", ["--with-images"], "--with-images: --format png has no such choice; it is for coco, cvat"),
        ("voc", ["--shapes", "polygons"], "--shapes: --format voc has no such choice; it is for coco, label-studio"),
        ("coco", ["--image-url", "/x"], "--image-url: --format coco has no such choice; it is for label-studio"),
        ("coco", ["--tolerance", "2"], "--tolerance: run lengths are exact; add --shapes polygons"),
        ("mmseg", ["--indices"], "--indices: --format mmseg always has class indices"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(name, options, message, capsys):
    assert export(name, *options) == 2
    assert capsys.readouterr().err.startswith(f"error: {message}")
    assert not Path("out").exists()


@pytest.mark.parametrize("text", ["-1", "nan", "101", "one"])
def test_a_tolerance_out_of_range_is_refused(text, capsys):
    with pytest.raises(SystemExit) as stop:
        export("labelme", f"--tolerance={text}")
    assert stop.value.code == 2
    assert f"expected pixels from 0 to 100, got '{text}'" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["labelme"], ["coco", "--with-images"]])
def test_a_missing_image_is_one_line_and_nothing_is_written(options, capsys):
    (Path("set") / RECORD.path).unlink()
    assert export(*options) == 2
    error = capsys.readouterr().err
    assert "set/images/a.jpg: no such image" in error and error.count("\n") == 1
    assert not Path("out").exists()


def test_without_images_no_data_root_is_needed(monkeypatch):
    monkeypatch.delenv("AUXSEG_DATA")
    assert export("cvat") == 0


def test_a_folder_with_files_is_refused(capsys):
    Path("out").mkdir()
    Path("out/own.txt").write_text("mine")
    assert export("voc") == 2
    assert capsys.readouterr().err == "error: --to out: is not empty; name a new folder\n"
    assert [path.name for path in Path("out").iterdir()] == ["own.txt"]


def test_a_damaged_label_leaves_nothing():
    Path("data/labels/r1/00.zip").write_bytes(b"no zip")
    assert export("coco") == 2
    assert not [path for path in Path().iterdir() if path.name.startswith((".tmp", "out"))]
