"""The protocol of docs/evaluation.md where it is more than counting: the mean, the list to score, the oracle's name."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torchmetrics.classification import MulticlassJaccardIndex

from auxseg.artifacts.archive import write_archive
from auxseg.artifacts.atomic import write_json
from auxseg.artifacts.tensors import write_tensors
from auxseg.datasets.manifest import ClassTable, ImageRecord, write_manifest, write_mask_list
from auxseg.images import encode_grey, encode_label
from auxseg.metrics.segmentation import Counts
from auxseg.metrics.tables import read_counts

ROOT = Path(__file__).resolve().parents[2]


def test_miou_of_a_set_against_torchmetrics():
    """Macro average over a set with every class in it; 255 in masks only, which torchmetrics can leave out too."""
    random = np.random.default_rng(0)
    metric, counts = MulticlassJaccardIndex(21, average="macro", ignore_index=255), Counts.zeros(20)
    for height, width in ((40, 50), (33, 20), (64, 64)):
        mask = random.choice(np.array([*range(21), 255], np.uint8), (height, width))
        prediction = np.where(random.random(mask.shape) < 0.6, mask % 255, random.integers(0, 21, mask.shape))
        prediction = prediction.astype(np.uint8)
        counts += Counts.of(prediction, mask, 20)
        metric.update(torch.from_numpy(prediction).long(), torch.from_numpy(mask).long())
    assert counts.means()["miou"] == pytest.approx(100 * metric.compute().item(), abs=1e-4)


def test_a_prediction_of_255_is_another_class_to_torchmetrics():
    """A 22nd class that no mask has takes the ignored predictions: IoU of the 21 is the same as ours."""
    random = np.random.default_rng(1)
    mask = random.integers(0, 21, (60, 60)).astype(np.uint8)
    prediction = np.where(random.random(mask.shape) < 0.3, 255, mask).astype(np.uint8)
    metric = MulticlassJaccardIndex(22, average="none")
    wanted = metric(torch.from_numpy(np.where(prediction == 255, 21, prediction)).long(), torch.from_numpy(mask).long())
    np.testing.assert_allclose(Counts.of(prediction, mask, 20).iou(), wanted[:21].numpy(), rtol=1e-6)


def test_the_best_threshold_is_called_an_oracle(load_stage):
    summary = load_stage("summary")
    mask = np.array([[0, 1, 1, 1]], np.uint8)
    pooled = {
        "labels": Counts.of(np.array([[0, 0, 0, 1]], np.uint8), mask, 1),
        "cam>0.10": Counts.of(np.array([[1, 1, 1, 1]], np.uint8), mask, 1),
        "cam>0.20": Counts.of(np.array([[0, 1, 1, 1]], np.uint8), mask, 1),
    }
    kept = summary._with_best_cam(pooled)
    assert list(kept) == ["labels", "cam alone (oracle threshold)"]
    assert kept["labels"] is pooled["labels"]
    assert kept["cam alone (oracle threshold)"] is pooled["cam>0.20"]


def test_score_counts_listed_masks_alone(tmp_path):
    """Two training images with labels; the mask list, as `data.score_split` leaves it, has one of them."""
    classes, random = ClassTable(("cat", "dog"), (8, 12)), np.random.default_rng(2)
    raw, work = tmp_path / "raw", tmp_path / "work"
    raw.mkdir()
    labels = {key: random.choice(np.array([0, 1, 2, 255], np.uint8), (16, 24)) for key in "ab"}
    masks = {key: random.choice(np.array([0, 1, 2, 255], np.uint8), (16, 24)) for key in "ab"}
    values = np.zeros(256, np.uint8)
    values[[1, 2, 255]] = 8, 12, 255
    for key, mask in masks.items():
        (raw / f"{key}.png").write_bytes(encode_label(values[mask]))
    records = [ImageRecord(key, f"{key}.jpg", 24, 16, "train", ("cat", "dog"), "") for key in "ab"]
    write_manifest(work / "data/manifest", records, classes, ["00"])
    write_json(work / "data/manifest/dataset.json", {"format": "voc", "unlisted": "error", "scenes": None})
    write_mask_list(work / "data/masks", {"b": ("b.png", "")}, ["00"])
    write_archive(work / "data/labels/r0/00.zip", {f"{key}.png": encode_label(label) for key, label in labels.items()})
    write_archive(
        work / "data/saliency_labels/r0/00.zip", {f"{key}.png": encode_grey(random.random((16, 24))) for key in "ab"}
    )
    cams = {f"{key}.cam": random.random((2, 4, 6)).astype(np.float16) for key in "ab"}
    write_tensors(work / "data/maps/r0/00.safetensors", cams)
    (work / "dvc.yaml").write_bytes((ROOT / "dvc.yaml").read_bytes())
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    (work / "params.yaml").write_text(yaml.safe_dump(params | {"shards": ["00"]}))
    done = subprocess.run(
        [sys.executable, ROOT / "workflow/stages/score.py", "--round", "r0", "--shard", "00"], cwd=work,
        env=os.environ | {"AUXSEG_DATA": str(raw)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    counts = read_counts([work / "data/score/counts/r0/00.csv"], 2)["labels"]
    expected = Counts.of(labels["b"], masks["b"], 2)
    for name in ("correct", "predicted", "true"):
        assert getattr(counts, name).tolist() == getattr(expected, name).tolist()
    assert counts.true.sum() == (masks["b"] != 255).sum()
