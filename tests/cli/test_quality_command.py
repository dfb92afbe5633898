"""`auxseg quality`: every round and class, the worst labels, the file, and what is missing."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
import small_project

from auxseg.artifacts.archive import write_archive
from auxseg.artifacts.tensors import write_tensors
from auxseg.cli.main import main
from auxseg.encoded import encode_grey


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    small_project.make_project(tmp_path, monkeypatch)
    saliency = {"a.png": encode_grey(np.full((16, 24), 0.5, np.float32))}
    write_archive(Path("data/saliency/00.zip"), saliency)
    write_archive(Path("data/saliency_labels/r0/00.zip"), saliency)
    write_archive(Path("data/saliency_labels/r1/00.zip"), saliency)
    maps = {"a.cam": small_project.CAMS}
    write_tensors(Path("data/maps/r0/00.safetensors"), maps)
    sure = {"a.prediction": np.full((4, 6), 2, np.uint8), "a.confidence": np.full((4, 6), 1, np.float16)}
    write_tensors(Path("data/maps/r1/00.safetensors"), {**maps, **sure})


def test_rounds_side_by_side(capsys):
    assert main(["quality", "--to", "q.csv", "--worst", "1"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[1].split() == ["r0", "r1"]
    rows = {line.split()[0]: re.findall(r"([\d.]+) \([\d.]+ to [\d.]+\)", line) for line in printed[2:6]}
    assert list(rows) == ["background", "cat", "dog", "mean"]
    # r1's network is sure of dogs everywhere: they have 0.5 and a share of the saliency's 0.5; the others lose
    assert float(rows["dog"][1]) > float(rows["dog"][0])
    assert float(rows["background"][1]) < float(rows["background"][0])
    assert printed[-4].startswith("labels of r1 with the lowest expected IoU")
    assert re.fullmatch(r" *[\d.]+ a", printed[-3])
    assert printed[-1] == "q.csv: 2 labels"
    written = list(csv.DictReader(Path("q.csv").read_text().splitlines()))
    assert [(row["round"], row["id"]) for row in written] == [("r0", "a"), ("r1", "a")]
    assert float(written[1]["expected_iou"]) == pytest.approx(float(rows["mean"][1]), abs=0.06)  # one image


def test_one_round(capsys):
    assert main(["quality", "--round", "r0", "--worst", "0"]) == 0
    printed = capsys.readouterr().out
    assert "r0" in printed
    assert "r1" not in printed


def test_a_round_that_has_not_run_is_left_out(capsys):
    Path("data/labels/r1/00.zip").unlink()
    assert main(["quality"]) == 0
    assert "r1" not in capsys.readouterr().out
    assert main(["quality", "--round", "r1"]) == 2
    assert "data/labels/r1/00.zip: no such file" in capsys.readouterr().err
    assert main(["quality", "--round", "r7"]) == 2
    assert "r7" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "."], "--to .: give the name of a file that ends with .csv"),
        (["--to", ""], "expected a path, got nothing"),
        (["--to", "params.yaml"], "--to params.yaml: give the name of a file that ends with .csv"),
        (["--to", "nowhere/q.csv"], "in a folder that exists"),
        (["--worst", "-1"], "expected a whole number from 0 to 999999, got '-1'"),
    ],
)
def test_bad_arguments_are_one_line_before_anything_is_computed(arguments, message, capsys, monkeypatch):
    monkeypatch.setattr("auxseg.cli.quality.measure", None)
    before = Path("params.yaml").read_bytes()
    try:
        code = main(["quality", *arguments])
    except SystemExit as stop:  # argparse
        code = stop.code
    assert code == 2
    assert message in capsys.readouterr().err
    assert Path("params.yaml").read_bytes() == before


def test_a_round_whose_maps_are_missing_is_left_out(capsys):
    Path("data/maps/r1/00.safetensors").unlink()
    assert main(["quality"]) == 0
    assert "r1" not in capsys.readouterr().out


def test_a_manifest_without_images_is_named(capsys):
    path = Path("data/manifest/train/00.csv")
    path.write_text(path.read_text().splitlines()[0] + "\n")
    assert main(["quality"]) == 2
    assert "data/manifest/train: has no training images" in capsys.readouterr().err
