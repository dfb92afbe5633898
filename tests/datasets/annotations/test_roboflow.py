"""Roboflow's multi-label classification: a folder per split with a `_classes.csv`."""

import os

import numpy as np
import pytest
from builders import lines, mask
from exports import SIZE, write_photo

from auxseg.datasets.annotations.recognise import recognise
from auxseg.datasets.collect import collect
from auxseg.datasets.csv_tags import read_class_columns
from auxseg.datasets.overview import overview
from auxseg.datasets.problems import Problems
from auxseg.errors import DataError, ParamsError
from auxseg.findings import Findings
from auxseg.params.data import DataParams

FOLDER = DataParams.parse({"format": "folder"})
HEADER = "filename, cat, traffic light, set"
ROWS = {
    "train": ("a_jpg.rf.01.jpg, 1, 0, 0", "b_jpg.rf.02.jpg, 1, 1, 0", "c_png.rf.03.png, 0, 0, 0"),
    "valid": ("a_jpg.rf.01.jpg, 0, 0, 1",),
    "test": ("d_jpg.rf.04.jpg, 0, 1, 0",),
}


@pytest.fixture
def root(tmp_path):
    for split, rows in ROWS.items():
        lines(tmp_path / split / "_classes.csv", HEADER, *rows)
        for row in rows:
            write_photo(tmp_path / split / row.split(",")[0])
    (tmp_path / "README.roboflow.txt").write_text("exported")
    return tmp_path


def notes(root, **data):
    return list(overview(collect(root, DataParams.parse({"format": "roboflow-csv", **data}))).warnings())


def test_folders_are_splits_and_columns_are_classes(root, opened):
    data = opened(format="roboflow-csv")
    data.check()
    assert data.names == ("cat", "traffic light", "set")  # in the table's order; every column but the first is a class
    assert data.tags == {
        "train/a_jpg.rf.01": ("cat",),
        "train/b_jpg.rf.02": ("cat", "traffic light"),
        "train/c_png.rf.03": (),
        "valid/a_jpg.rf.01": ("set",),
        "test/d_jpg.rf.04": ("traffic light",),
    }
    assert {key.partition("/")[0]: split for key, split in data.splits.items()} == {
        "train": "train",
        "valid": "val",
        "test": "val",
    }
    assert recognise(root, FOLDER) == ("roboflow-csv", "train/_classes.csv")


def test_a_test_split_is_said_to_be_part_of_val(root):
    assert "val includes the 1 image of test; move that folder elsewhere to leave them out" in notes(root)
    (root / "test/_classes.csv").unlink()
    found = notes(root)
    assert not [line for line in found if line.startswith("val includes")]
    assert any("1 image has no row in the CSV and is left out: test/d_jpg.rf.04;" in line for line in found)


def test_the_splits_of_data_classes_are_one_set(root, opened):
    data = opened(format="roboflow-csv", classes={"Cat": 3, "Traffic Light": 9, "set": 1})
    assert data.tags["train/b_jpg.rf.02"] == ("Cat", "Traffic Light")
    with pytest.raises(DataError, match=r"valid/_classes\.csv line 2: label 'set' of 'valid/a.*' is not a known class"):
        opened(format="roboflow-csv", classes=["cat", "traffic light"])


def test_columns_that_differ_between_splits_are_named(root):
    lines(root / "valid/_classes.csv", "filename, owl, cat, set", "a_jpg.rf.01.jpg, 0, 0, 1")
    with pytest.raises(DataError) as error:
        notes(root)
    assert str(error.value) == (
        f"{root}/valid/_classes.csv: its classes are not those of {root}/train/_classes.csv: it lacks 'traffic light' "
        "and adds 'owl'; export all splits at once, or give the tables the same columns"
    )


def test_the_order_and_spelling_of_columns_may_differ(root, opened):
    lines(root / "valid/_classes.csv", "filename,set,Traffic  Light,CAT", "a_jpg.rf.01.jpg,1,1,0")
    assert opened(format="roboflow-csv").tags["valid/a_jpg.rf.01"] == ("traffic light", "set")


def test_rows_and_images_that_do_not_match_are_counted(root):
    (root / "train/c_png.rf.03.png").unlink()
    write_photo(root / "train/e.jpg")
    write_photo(root / "valid/sub/f.jpg")
    found = notes(root)
    assert (
        "1 row has no image in the folder and is left out: train/c_png.rf.03; add the images, or remove the rows"
        in found
    )
    assert any("2 images have no row in the CSV and are left out: train/e, valid/sub/f;" in line for line in found)


def test_most_rows_without_an_image_are_an_error(root):
    for name in ("a_jpg.rf.01.jpg", "b_jpg.rf.02.jpg"):
        (root / "train" / name).unlink()
    (root / "valid/a_jpg.rf.01.jpg").unlink()
    with pytest.raises(DataError) as error:
        notes(root)
    assert str(error.value) == (
        f"{root}: only 2 of the 5 annotated images are there (first missing: 'train/a_jpg.rf.01'); put the images into "
        f"{root}"
    )


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("filename, cat, traffic light, set", "a.jpg, 2, 0, 0"), r"line 2: column 'cat' has '2', expected 0 or 1"),
        (("filename, cat, traffic light, set", "a.jpg, 1, 0"), "line 2: fewer cells than the header"),
        ((HEADER, *ROWS["valid"], *ROWS["valid"]), r"line 3: id 'a_jpg\.rf\.01' is listed twice \(also in line 2\)"),
        (("filename, cat, cat", "a.jpg, 1, 0"), "line 1: .*'cat'"),
        (("Pixel Value, Class", "0, cat"), "line 1: expected `filename` and the names of the classes"),
        (("filename", "a.jpg"), "line 1: expected `filename` and the names of the classes"),
        ((), "line 1: expected `filename` and the names of the classes"),
    ],
)
def test_tables_that_cannot_be_read(root, rows, message):
    lines(root / "valid/_classes.csv", *rows)
    with pytest.raises(DataError, match=rf"valid/_classes\.csv:? .*{message}|valid/_classes\.csv {message}"):
        notes(root)


def test_all_problems_of_all_tables_are_collected(root):
    lines(root / "test/_classes.csv", "Pixel Value, Class")
    lines(root / "valid/_classes.csv", "filename, cat", "a_jpg.rf.01.jpg, 2")
    findings = Findings()
    collect(root, DataParams.parse({"format": "roboflow-csv"}), Problems(findings))
    found = "\n".join(findings.lines())
    assert "test/_classes.csv line 1: expected `filename`" in found
    assert "valid/_classes.csv line 2: column 'cat' has '2'" in found
    assert "valid/_classes.csv: its classes are not those of" in found


def test_without_a_train_folder_nothing_can_be_learned(root):
    (root / "train/_classes.csv").unlink()
    with pytest.raises(DataError, match=r"^the annotations: the train split is empty \(all images are in val\)"):
        notes(root)


def test_masks_lie_in_folders_of_the_same_names(root, opened):
    mask(root / "masks/train/a_jpg.rf.01.png", (3, 255), SIZE[::-1])
    np.save(root / "masks/train/b_jpg.rf.02.npy", np.full(SIZE, 9))
    settings = {"classes": {"cat": 3, "traffic light": 9, "set": 1}, "folder": {"masks": "masks"}}
    data = opened(format="roboflow-csv", **settings)
    assert np.unique(data.mask("train/a_jpg.rf.01")).tolist() == [0, 2, 255]  # by mask values
    assert np.unique(data.mask("train/b_jpg.rf.02")).tolist() == [3]
    assert not [line for line in notes(root, **settings) if "no row in the CSV" in line]
    with pytest.raises(ParamsError, match=r"'data\.classes': null .* with data\.folder\.masks, list the classes"):
        notes(root, folder={"masks": "masks"})


def test_masks_of_no_image_are_an_error(root):
    with pytest.raises(DataError, match=r"msks: no such folder; set data\.folder\.masks"):
        notes(root, classes=["cat", "traffic light", "set"], folder={"masks": "msks"})
    mask(root / "masks/a_jpg.rf.01.png", (1,), SIZE[::-1])
    with pytest.raises(DataError) as error:
        notes(root, classes=["cat", "traffic light", "set"], folder={"masks": "masks"})
    assert str(error.value) == (
        f"{root}/masks: no mask of an image; name each mask after its image, such as {root}/masks/train/a_jpg.rf.01.png"
    )


def test_an_export_for_segmentation_is_not_taken_for_one(tmp_path):
    lines(tmp_path / "train/_classes.csv", "Pixel Value, Class", "0, background", "1, cat")
    write_photo(tmp_path / "train/a.jpg")
    assert recognise(tmp_path, FOLDER) is None
    with pytest.raises(DataError, match=r"no folder has a _classes\.csv with filenames and classes"):
        notes(tmp_path)


def test_a_fifo_of_that_name_is_not_opened(tmp_path):
    (tmp_path / "train").mkdir()
    os.mkfifo(tmp_path / "train/_classes.csv")
    assert recognise(tmp_path, FOLDER) is None


def test_a_table_of_image_level_labels_has_priority(root):
    lines(root / "image_labels.csv", "image_id,labels")
    assert recognise(root, FOLDER) is None


def test_class_columns_are_in_the_order_of_the_header(tmp_path):
    (tmp_path / "a.csv").write_text("filename; zebra; ant\nx.jpg; 0; 1\n")
    names, rows = read_class_columns(tmp_path / "a.csv")
    assert names == ("zebra", "ant")
    assert {key: row.names for key, row in rows.items()} == {"x": ("ant",)}
