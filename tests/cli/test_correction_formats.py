"""`auxseg corrections` with the files of CVAT and Label Studio, and what every format has in common."""

import json
import shutil
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from correction_project import FOLDER, annotate, draw, export, make_project, rename, rows, take
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image
from small_project import CLASSES, LABEL

from auxseg.cli.corrections import read_exported, write_labels
from auxseg.encoded import pixels_sha256

LABELS = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.sampled_from([0, 1, 2, 255]))


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    make_project(tmp_path, monkeypatch)


@pytest.mark.parametrize("predictions", ["whole", [7], []])
def test_predictions_of_label_studio_are_not_corrections(predictions, capsys):
    assert export("--format", "label-studio") == 0
    assert take() == 0 and take("out/tasks.json") == 0
    assert take(annotate(lambda key, result: None, predictions)) == 0
    assert capsys.readouterr().out.count("next: nothing has changed in out") == 3
    assert take(annotate(predictions=predictions)) == 0
    assert "as exported, so not counted as corrected: 2 of 2" in capsys.readouterr().out
    assert rows() == [] and not (FOLDER / "r1").exists()


def test_an_emptied_annotation_of_label_studio_is_background():
    assert export("--format", "label-studio") == 0
    assert take(annotate(lambda key, result: [] if key == "d" else result)) == 0
    assert [(row["image_id"], row["source"], row["classes"]) for row in rows()] == [("d", "label-studio", "")]
    assert not np.asarray(Image.open(FOLDER / "r1/d.png")).any()


def test_label_studio_finds_images_with_odd_names():
    rename("d", "s/d d")
    assert export("--format", "label-studio") == 0
    tasks = json.loads(Path("out/tasks.json").read_text())
    assert sorted(task["data"]["image"] for task in tasks)[1] == "/data/local-files/?d=images/s/d%20d.jpg"
    assert Path("out/images/s/d d.jpg").exists()
    assert take(annotate(lambda key, result: [] if key == "s/d d" else result)) == 0
    assert [row["image_id"] for row in rows()] == ["s/d d"]


@pytest.mark.parametrize("path", ["out", "out/s", "out/s/d.json"])
def test_ids_with_a_slash_are_relative_to_the_export(path):
    rename("d", "s/d")
    assert export() == 0
    assert Path("out/s/d.jpg").exists() and json.loads(Path("out/s/d.json").read_text())["imagePath"] == "d.jpg"
    draw("out/s/d.json")
    assert take(path) == 0
    assert [row["image_id"] for row in rows()] == ["s/d"] and (FOLDER / "r1/s/d.png").exists()


@pytest.mark.parametrize(("format_", "given"), [("labelme", "out"), ("cvat", "EXPORT.zip"), ("label-studio", ".json")])
def test_the_next_step_imports_what_a_person_saved(format_, given, capsys):
    assert export("--format", format_) == 0
    step = capsys.readouterr().out.splitlines()[-1]
    assert step.startswith("next: ") and f"{given} --round r1" in step


def test_images_of_an_export_are_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.fromarray(np.full((24, 16, 3), 50, np.uint8)).save("set/images/d.jpg", exif=exif)
    for format_, place in (("labelme", "d.jpg"), ("cvat", "images/d.jpg"), ("label-studio", "images/d.jpg")):
        assert export("--format", format_, to=format_) == 0
        image = Image.open(Path(format_, place))
        assert image.size == (24, 16) and not image.getexif()


@pytest.mark.parametrize("is_zipped", [True, False])
def test_masks_painted_in_cvat_become_corrections(is_zipped):
    assert export("--format", "cvat") == 0
    assert Path("out/images/d.jpg").exists()
    shutil.unpack_archive("out/segmentation_mask.zip", "done")
    path = Path("done/SegmentationClass/d.png")
    colours = np.asarray(Image.open(path)).copy()
    colours[:8] = (0, 128, 0)  # the colour of the second class
    Image.fromarray(colours).save(path)
    if is_zipped:
        shutil.make_archive("task", "zip", "done")
    assert take("task.zip" if is_zipped else "done") == 0
    assert [(row["image_id"], row["source"]) for row in rows()] == [("d", "cvat")]
    label = np.asarray(Image.open(FOLDER / "r1/d.png"))
    assert (label[:8] == 2).all() and label[8:].tolist() == np.where(LABEL == 2, 255, LABEL)[8:].tolist()


def test_an_image_without_a_mask_in_cvats_export_is_named(capsys):
    assert export("--format", "cvat") == 0
    shutil.unpack_archive("out/segmentation_mask.zip", "out/done")
    Path("out/done/SegmentationClass/a.png").unlink()  # as CVAT does where nobody left a shape
    capsys.readouterr()
    assert take("out/done") == 0
    out = capsys.readouterr().out
    assert "not in out/done, so left as they are: 1 of 2: a\n" in out
    assert "draw a shape of the label background" in out and rows() == []


def test_what_is_not_read_of_label_studio_is_said(capsys):
    assert export("--format", "label-studio") == 0
    path = Path(annotate())
    tasks = json.loads(path.read_text())
    del tasks[0]["annotations"][0]["result"][0]["value"]["polygonlabels"]
    tasks[1]["annotations"].append(tasks[1]["annotations"][0])
    path.write_text(json.dumps(tasks))
    capsys.readouterr()
    assert take(path) == 0
    out = capsys.readouterr().out
    assert "warning: 1 region has no label and is not used\n" in out
    assert "warning: 1 task has several annotations; one is used" in out


def test_only_regions_without_a_label_are_not_background():
    assert export("--format", "label-studio") == 0
    path = Path(annotate())
    tasks = json.loads(path.read_text())
    for region in tasks[0]["annotations"][0]["result"]:
        del region["value"][region["type"]]
    path.write_text(json.dumps(tasks))
    assert take(path) == 0 and rows() == []


def spoil_zip(name, content):
    with zipfile.ZipFile("task.zip", "w") as archive:
        archive.writestr("labelmap.txt", "cat:1,2,3::\n")
        archive.writestr(name, content)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Path("task.zip").write_bytes(b"x"), "task.zip: not a readable zip"),
        (lambda: zipfile.ZipFile("task.zip", "w").close(), "task.zip: has no labelmap.txt"),
        (lambda: spoil_zip("other.png", b""), "task.zip/SegmentationClass: no masks"),
        (lambda: spoil_zip("SegmentationClass/a.png", b"x"), "task.zip/SegmentationClass/a.png: "),
    ],
)
def test_a_wrong_zip_of_cvat_is_one_line(make, message, capsys):
    make()
    assert take("task.zip") == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}") and error.count("\n") == 1


def test_an_image_of_label_studio_that_appears_twice_is_named(capsys):
    assert export("--format", "label-studio") == 0
    tasks = json.loads(Path(annotate()).read_text())
    Path("out/project.json").write_text(json.dumps([*tasks, {**tasks[0], "id": 9}]))
    assert take("out/project.json") == 2
    assert "out/project.json task 9: 'd' appears twice" in capsys.readouterr().err
    Path("out/project.json").write_text("[7]")
    assert take("out/project.json") == 2
    assert capsys.readouterr().err.startswith("error: out/project.json: not an export of Label Studio")


@settings(max_examples=25, deadline=None)
@given(LABELS, st.sampled_from(["labelme", "cvat", "label-studio"]))
def test_labels_come_back_to_the_pixel(label, format_):
    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder, "out")
        write_labels(to, format_, {"a": label}, lambda image_id: b"", CLASSES, 0, (), "r1")
        assert read_exported(to)["a"].sha256 == pixels_sha256(label)
