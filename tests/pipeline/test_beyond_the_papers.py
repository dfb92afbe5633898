"""What the papers do not have, in a whole run: a decoder, labels from several views and the prediction."""

import dataclasses
import shutil

import pytest
import tiny
from odd_sets import Case, instances, run_instances, run_stages, several

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.tensors import TensorFile
from auxseg.audit.scripts import read_data_script

R1 = Round(1)
BACKBONE = "resnet18"
BEYOND = Case(
    several(*[("cat", "train"), ("dog", "train"), ("cat dog", "train")] * 3, ("cat", "val"), ("dog", "val")),
    {
        "network": {"decoder": 8},
        "propagate": {"scales": [1.0, 1.5], "flip": True, "prediction_share": 0.5},
    },
)


@pytest.fixture(scope="module")
def run(tmp_path_factory, load_stage):
    found = run_stages(tmp_path_factory.mktemp("beyond"), BEYOND, load_stage, BACKBONE)
    assert not found.stopped
    return found


def copied(run, folder):
    """Return the run as a copy that may be changed."""
    for name in ("raw", "project"):
        shutil.copytree(run.folder.parent / name, folder / name)
    return dataclasses.replace(run, folder=folder / "project", warnings=[])


def figures(run):
    """Return the figures that the report shows of the training images of r1."""
    return read_data_script(run.store.report / "index/r1-train.js")["figures"]


def test_maps_have_the_decoders_grid(run):
    maps = TensorFile(run.store.maps(R1, "00"))
    for record in run.records("train"):
        fine, coarse = (
            (-(-record.height // 4), -(-record.width // 4)),
            (-(-record.height // 16), -(-record.width // 16)),
        )
        assert maps[f"{record.id}.cam"].shape == (len(record.tags), *fine)
        assert maps[f"{record.id}.saliency"].shape == fine
        assert maps[f"{record.id}.prediction"].shape == coarse


def test_the_report_explains_every_pixel_and_expects_an_iou(run):
    found = figures(run)
    assert found["mismatch"] == [0] * len(run.records("train"))
    assert all(0 < value < 1 for value in found["expected_iou"])


def test_the_curve_and_the_guard_have_the_new_figures(run):
    header = run.store.curve(R1).read_text().splitlines()[0].split(",")
    assert {"decoded_saliency", "decoded_segmentation"} <= set(header)
    assert 0 < run.figures(R1)["expected_iou"] < 1


def test_the_network_is_exported(run, tmp_path):
    tiny.auxseg(run.folder, "export", "onnx", "--round", "r1", "--to", str(tmp_path / "n.onnx"))
    assert (tmp_path / "n.onnx").is_file()


def test_the_stages_write_the_same_bytes_again(run, tmp_path, load_stage):
    again, before = copied(run, tmp_path), tiny.hashes(run.folder)
    for path in (again.store.maps(R1, "00"), again.store.labels(R1, "00")):
        path.unlink()
    run_instances(again, load_stage, [("propagate", "r1", "00"), ("labels", "r1", "00")], real=True)
    assert not again.stopped
    assert tiny.hashes(again.folder) == before


def test_completed_labels_go_through_everything(run, tmp_path, load_stage):
    """Only labels without a tag keep ignored pixels, and training takes them."""
    completed = copied(run, tmp_path)
    tiny.edit_params(completed.folder, "labels", completion="crf")
    later = [one for one in instances({"r1": "r0"}) if one[0] not in ("prepare", "saliency", "classify", "cam")]
    run_instances(completed, load_stage, later, real=True)
    assert not completed.stopped
    found = figures(completed)
    assert found["mismatch"] == [None] * len(found["ignored"])  # the report does not repeat the CRF
    rows = list(zip(found["ignored"], found["missing"], strict=True))
    assert 0 in found["ignored"] and all(missing for ignored, missing in rows if ignored)
