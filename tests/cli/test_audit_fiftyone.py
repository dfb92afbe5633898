"""`auxseg audit fiftyone`: the training images with the labels of all rounds."""

import cv2
import numpy as np
import pytest
from small_project import LABEL, RECORD, make_project

from auxseg.cli.main import main


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    make_project(tmp_path, monkeypatch)
    return tmp_path


def test_training_images_and_labels_of_every_round(project, capsys):
    assert main(["audit", "fiftyone", "--to", "out"]) == 0
    assert capsys.readouterr().out == "out: 1 image with labels of r0, r1\n"
    expected = LABEL.copy()
    expected[0, 0] = 255
    for folder in ("labels", "labels_r0"):
        assert [path.stem for path in (project / "out" / folder).iterdir()] == [RECORD.id]
        np.testing.assert_array_equal(cv2.imread(f"out/{folder}/a.png", cv2.IMREAD_UNCHANGED), expected)
    images = {path.name: path.read_bytes() for path in (project / "out/data").iterdir()}
    assert images == {"a.jpg": (project / "set" / RECORD.path).read_bytes()}
