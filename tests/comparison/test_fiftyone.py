"""The folder for FiftyOne, read as FiftyOne's importers document it: by file name and with OpenCV."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from auxseg.artifacts.archive import write_archive
from auxseg.artifacts.tables import read_csv
from auxseg.comparison.fiftyone import write_fiftyone
from auxseg.comparison.label_set import LabelSet
from auxseg.datasets.manifest import ImageRecord
from auxseg.encoded import encode_label
from auxseg.errors import DataError

NAMES = ("background", "cat", "red fox")
IDS = {"one": "one.jpg", "two": "sub/two.PNG"}


@pytest.fixture
def project(tmp_path):
    """Photos, labels of two rounds, and what `write_fiftyone` takes beside the folder."""
    rng = np.random.default_rng(0)
    (tmp_path / "photos/sub").mkdir(parents=True)
    records, labels, expected = [], {}, {}
    for name, path in IDS.items():
        Image.new("RGB", (6, 4), "red").save(tmp_path / "photos" / path)
        records.append(ImageRecord(name, path, 6, 4, "train", ("cat",), ""))
    for round_name in ("r0", "r1"):
        made = {name: rng.choice([0, 1, 2, 255], (4, 6)).astype(np.uint8) for name in IDS}
        archive = tmp_path / round_name / "00.zip"
        write_archive(archive, {f"{name}.png": encode_label(label) for name, label in made.items()})
        labels[round_name], expected[round_name] = LabelSet.of(NAMES, [archive]), made
    return records, tmp_path / "photos", labels, expected


def by_stem(folder):
    return {str(path.relative_to(folder).with_suffix("")): path for path in folder.rglob("*") if path.is_file()}


def test_as_an_image_segmentation_directory(tmp_path, project):
    records, photos, labels, expected = project
    write_fiftyone(tmp_path / "out", records, photos, labels, NAMES)
    images = by_stem(tmp_path / "out/data")
    assert {name: path.read_bytes() for name, path in images.items()} == {
        record.id: (photos / record.path).read_bytes() for record in records
    }
    for folder, round_name in (("labels", "r1"), ("labels_r0", "r0")):
        masks = by_stem(tmp_path / "out" / folder)
        assert masks.keys() == images.keys()
        for name, path in masks.items():
            mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)  # what the importer calls; a palette would be colours
            assert mask.dtype == np.uint8 and (mask == expected[round_name][name]).all()
    targets = json.loads((tmp_path / "out/mask_targets.json").read_text())
    assert targets == {"0": "background", "1": "cat", "2": "red fox", "255": "ignore"}


def test_as_a_csv_dataset(tmp_path, project):
    records, photos, labels, expected = project
    write_fiftyone(tmp_path / "out", records, photos, labels, NAMES)
    rows = read_csv(tmp_path / "out/labels.csv")
    assert [row["filepath"] for row in rows] == ["one.jpg", "two.PNG"]
    for row in rows:
        assert (tmp_path / "out/data" / row["filepath"]).is_file()
        label = expected["r0"][row["filepath"][:3]]
        assert float(row["r0_ignore_share"]) == pytest.approx(100 * (label == 255).mean(), rel=1e-5)
        assert row["r0_classes"].split(";") == [name for index, name in enumerate(NAMES) if index and index in label]
        assert row["tags"] == "cat"


def test_a_folder_that_holds_something_is_left_alone(tmp_path, project):
    records, photos, labels, _ = project
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    with pytest.raises(DataError, match=r"out: is not empty"):
        write_fiftyone(tmp_path / "out", records, photos, labels, NAMES)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_missing_photo_leaves_nothing(tmp_path, project):
    records, photos, labels, _ = project
    (photos / "one.jpg").unlink()
    with pytest.raises(DataError, match=r"one\.jpg: no such image"):
        write_fiftyone(tmp_path / "out", records, photos, labels, NAMES)
    assert not (tmp_path / "out").exists()


def test_a_photo_without_label_is_rejected(tmp_path, project):
    records, photos, labels, _ = project
    new = ImageRecord("three", "one.jpg", 6, 4, "train", ("cat",), "")
    with pytest.raises(DataError, match=r"r0: no label of 'three'; run `auxseg run`"):
        write_fiftyone(tmp_path / "out", [*records, new], photos, labels, NAMES)
    assert not (tmp_path / "out").exists()
