"""Figures of a round that are of its whole set: how well tags are found, and the training's loss."""

import json
from pathlib import Path

import numpy as np
import pytest

from auxseg.artifacts.archive import write_archive
from auxseg.artifacts.tables import write_rows
from auxseg.artifacts.tensors import write_tensors
from auxseg.datasets.manifest import ClassTable, ImageRecord
from auxseg.encoded import encode_grey, encode_label
from auxseg.errors import DataError
from auxseg.guard.figures import FIGURES
from auxseg.guard.measure import RoundFiles, measure_round, read_val_precision

CLASSES = ClassTable(("cat", "dog"), (1, 2))
SCORES = {"a": (2.0, -1.0), "b": (1.0, 3.0), "c": (0.0, 2.0), "v": (-3.0, 4.0), "w": (5.0, 5.0)}
RECORDS = [
    ImageRecord("a", "a.png", 4, 3, "train", ("cat",), ""),
    ImageRecord("b", "b.png", 4, 3, "train", (), ""),
    ImageRecord("c", "c.png", 4, 3, "train", ("cat", "dog"), ""),
    ImageRecord("v", "v.png", 4, 3, "val", ("dog",), ""),
    ImageRecord("w", "w.png", 4, 3, "val", (), "", is_tagged=False),
]


def round_files(folder, *, scores=True, curve=((1, 3.0), (2, 1.23456))):
    train = [record for record in RECORDS if record.split == "train"]
    write_archive(folder / "labels.zip", {f"{one.id}.png": encode_label(np.zeros((3, 4), np.uint8)) for one in train})
    write_archive(folder / "saliency.zip", {f"{one.id}.png": encode_grey(np.ones((3, 4))) for one in train})
    maps = {f"{one.id}.cam": np.ones((len(one.tags), 1, 1), np.float16) for one in train}
    if scores:
        maps |= {f"{name}.scores": np.array(values, np.float16) for name, values in SCORES.items()}
    write_tensors(folder / "maps.safetensors", maps)
    path = None
    if curve is not None:
        path = folder / "r1.csv"
        write_rows(path, [{"epoch": epoch, "loss": loss} for epoch, loss in curve], ["epoch", "loss"])
    files = ({"00": folder / name} for name in ("labels.zip", "saliency.zip", "maps.safetensors"))
    labels, saliency, maps = files
    return RoundFiles(CLASSES, labels, None, saliency, maps, path)


def test_tags_and_loss_by_hand(tmp_path, monkeypatch):
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)
    found = measure_round(round_files(tmp_path), RECORDS, "")
    assert found.keys() == FIGURES.keys()
    # cat: a, b, c in this order, of which a and c show it; dog: b, c, a, of which c shows it
    assert found["tag_precision"] == pytest.approx(((1 + 2 / 3) / 2 + 1 / 2) / 2, abs=1e-4)
    assert found["val_tag_precision"] == 1.0  # of v alone; the tags of w are not known
    assert found["loss"] == 1.2346
    assert found["background"] == 1.0 and found["confidence"] is None


def test_what_was_not_measured_is_absent(tmp_path, monkeypatch):
    """CAMs of another method come without scores, and the loss of r0 is that of another network."""
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)
    found = measure_round(round_files(tmp_path, scores=False, curve=None), RECORDS, "")
    assert found["tag_precision"] is found["val_tag_precision"] is found["loss"] is None


@pytest.mark.parametrize("curve", [[], [(1, "nan")], [(1, 2.0), (2, "inf")], [(1, "x")]])
def test_a_damaged_curve_is_named(tmp_path, curve):
    with pytest.raises(DataError, match=r"r1\.csv: damaged"):
        round_files(tmp_path, curve=curve).loss()


def test_scores_of_another_number_of_classes_are_named(tmp_path, monkeypatch):
    monkeypatch.setitem(SCORES, "b", (1.0, 2.0, 3.0))
    with pytest.raises(DataError, match=r"maps\.safetensors: damaged: 'b\.scores' has shape \(3,\)"):
        round_files(tmp_path).tag_precision(RECORDS)


@pytest.mark.parametrize(("value", "shown"), [(0.51239, 0.5124), (None, None), (1, 1.0)])
def test_the_classifiers_figure(tmp_path, value, shown):
    path = tmp_path / "classifier.json"
    path.write_text(json.dumps({"val_mean_average_precision": value}))
    assert read_val_precision(path) == shown


@pytest.mark.parametrize("text", ["", "{}", '{"val_mean_average_precision": "x"}', '{"val_mean_average_precision": 7}'])
def test_a_damaged_figure_of_the_classifier_is_named(tmp_path, text):
    path = tmp_path / "classifier.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"classifier\.json: damaged"):
        read_val_precision(path)
    with pytest.raises(DataError, match="no such file"):
        read_val_precision(Path("nowhere.json"))
