"""`auxseg export overlays`, in a small project with artifacts written by hand."""

from pathlib import Path

import numpy as np
import pytest
import small_project
from PIL import Image
from small_project import CLASSES, RECORD

from auxseg.artifacts.archive import write_archive
from auxseg.audit.panels import label_panel
from auxseg.cli.main import main
from auxseg.datasets.manifest import ImageRecord, write_manifest
from auxseg.encoded import PALETTE, encode_label


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    small_project.make_project(tmp_path, monkeypatch)


def test_an_overlay_has_the_photos_size_and_the_colours_of_the_class_table(capsys):
    assert main(["export", "overlays", "--round", "r1", "--split", "all", "--to", "out"]) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.jpg", "b.jpg", "c.jpg", "classes.csv"]
    overlay = np.asarray(Image.open("out/b.jpg")).astype(int)
    assert overlay.shape == (16, 24, 3)
    dog = np.rint(0.3 * 100 + 0.7 * PALETTE[12])  # the photo is grey 100, a class covers 70 % of it
    assert abs(overlay[8, 16] - dog).max() <= 3  # JPEG
    assert abs(overlay[8, 3] - np.rint(0.45 * 100 + 0.55 * 255)).max() <= 3  # background, faded
    assert "12,dog,#400080" in Path("out/classes.csv").read_text()
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("3 overlays of r1 in out") and out[-1].startswith("next: ")


def test_ignored_pixels_are_hatched_as_in_the_report():
    label = np.full((16, 24), 255, np.uint8)
    write_archive(Path("data/labels/r1/00.zip"), {"a.png": encode_label(label)})
    assert main(["export", "overlays", "--round", "r1", "--to", "out"]) == 0
    expected = label_panel(label, np.full((16, 24, 3), 100, np.uint8)).astype(int)
    found = np.asarray(Image.open("out/a.jpg")).astype(int)
    assert abs(found - expected).mean() < 4 and np.ptp(found) > 100


def test_a_large_photo_is_scaled_down():
    record = ImageRecord("a", "images/a.jpg", 2048, 100, "train", ("cat",), "")
    write_manifest(Path("data/manifest"), [record], CLASSES, ["00"])
    Image.fromarray(np.zeros((100, 2048, 3), np.uint8)).save("set/images/a.jpg")
    write_archive(Path("data/labels/r1/00.zip"), {"a.png": encode_label(np.ones((100, 2048), np.uint8))})
    assert main(["export", "overlays", "--round", "r1", "--to", "out"]) == 0
    assert Image.open("out/a.jpg").size == (1024, 50)


def test_a_missing_photo_is_one_line_and_nothing_is_written(capsys):
    (Path("set") / RECORD.path).unlink()
    assert main(["export", "overlays", "--round", "r1", "--to", "out"]) == 2
    error = capsys.readouterr().err
    assert "set/images/a.jpg: no such image" in error and error.count("\n") == 1
    assert not Path("out").exists()


def test_predictions_that_the_initial_labels_lack_are_counted(capsys):
    assert main(["export", "overlays", "--round", "r0", "--split", "all", "--to", "out"]) == 0
    assert "2 val images have no prediction of r0: it has no network" in capsys.readouterr().out.splitlines()
    assert [path.name for path in Path("out").glob("*.jpg")] == ["a.jpg"]
