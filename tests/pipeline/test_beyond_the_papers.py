"""What the papers do not have, in a whole run: a decoder, labels from several views and the prediction."""

import json
import re
from pathlib import Path

import pytest
import tiny
import yaml

from auxseg.artifacts.tensors import TensorFile
from auxseg.audit.scripts import read_data_script
from auxseg.datasets.manifest import read_manifest


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return tiny.make_data(tmp_path_factory.mktemp("photos") / "voc")


@pytest.fixture(scope="module")
def project(tmp_path_factory, data) -> Path:
    folder = tiny.make_project(tmp_path_factory.mktemp("beyond") / "project")
    tiny.run(folder, "auxseg", "shards", "1")
    values = yaml.safe_load((folder / "params.yaml").read_text())
    values["network"]["decoder"] = 8
    values["propagate"] = {"scales": [1.0, 1.5], "flip": True, "prediction_share": 0.5}
    (folder / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    tiny.repro(folder, data)
    return folder


def test_maps_have_the_decoders_grid(project):
    maps = TensorFile(project / "data/maps/r1/00.safetensors")
    for record in read_manifest(project / "data/manifest", "train"):
        fine, coarse = (
            (-(-record.height // 4), -(-record.width // 4)),
            (-(-record.height // 16), -(-record.width // 16)),
        )
        assert maps[f"{record.id}.cam"].shape == (len(record.tags), *fine)
        assert maps[f"{record.id}.saliency"].shape == fine
        assert maps[f"{record.id}.prediction"].shape == coarse


def test_the_report_explains_every_pixel_and_expects_an_iou(project):
    figures = read_data_script(project / "data/audit/index/r1-train.js")["figures"]
    assert figures["mismatch"] == [0] * len(figures["mismatch"])
    assert all(0 < value < 1 for value in figures["expected_iou"])


def test_the_curve_and_the_guard_have_the_new_figures(project):
    header = (project / "data/curves/r1.csv").read_text().splitlines()[0].split(",")
    assert {"decoded_saliency", "decoded_segmentation"} <= set(header)
    guard = json.loads((project / "data/guard/r1.json").read_text())
    assert 0 < guard["figures"]["expected_iou"] < 1


def test_the_network_is_exported_and_everything_verified(project, data, tmp_path):
    printed = tiny.run(project, "auxseg", "export", "onnx", "--round", "r1", "--to", str(tmp_path / "n.onnx"))
    assert (tmp_path / "n.onnx").is_file(), printed
    printed = tiny.run(project, "auxseg", "verify", "--deep", "propagate", "labels", data=data)
    assert "propagate@r1-00: the same bytes" in printed
    assert "every artifact is what was recorded" in printed


def test_completed_labels_go_through_everything(project, data):
    """Last, because it changes the project: only labels without a tag keep ignored pixels, and training takes them."""
    tiny.edit_params(project, "labels", completion="crf")
    tiny.repro(project, data)
    figures = read_data_script(project / "data/audit/index/r1-train.js")["figures"]
    assert figures["mismatch"] == [None] * len(figures["ignored"])  # the report does not repeat the CRF
    rows = list(zip(figures["ignored"], figures["missing"], strict=True))
    assert 0 in figures["ignored"] and all(missing for ignored, missing in rows if ignored)
    printed = tiny.run(project, "auxseg", "verify", "--deep", "labels", data=data)
    assert re.search(r"labels@r[01]-00: the same bytes", printed)
    assert "every artifact is what was recorded" in printed
