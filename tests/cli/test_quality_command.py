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
    assert re.fullmatch(r" +r1 +[\d.]+ a", printed[-2])
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
