"""The protocol of docs/evaluation.md where it is more than counting: the mean, the list to score, the oracle's name."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from torchmetrics.classification import MulticlassJaccardIndex

from auxseg.artifacts.archive import Archive, write_archive
from auxseg.artifacts.atomic import write_json
from auxseg.artifacts.tensors import write_tensors
from auxseg.datasets.manifest import ClassTable, ImageRecord, write_manifest, write_mask_list
from auxseg.encoded import decode_indices, encode_grey, encode_label
from auxseg.metrics.segmentation import Counts
from auxseg.metrics.tables import read_counts
from auxseg.params.presets import read_preset
from auxseg.pipeline.stage import Stage
from auxseg.post_processing import Prediction
from auxseg.summary import with_best_cam

ROOT = Path(__file__).resolve().parents[2]
SIZE = (16, 24)
"""Rows and columns of an image."""


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


def test_the_best_threshold_is_called_an_oracle():
    mask = np.array([[0, 1, 1, 1]], np.uint8)
    pooled = {
        "labels": Counts.of(np.array([[0, 0, 0, 1]], np.uint8), mask, 1),
        "cam>0.10": Counts.of(np.array([[1, 1, 1, 1]], np.uint8), mask, 1),
        "cam>0.20": Counts.of(np.array([[0, 1, 1, 1]], np.uint8), mask, 1),
    }
    kept = with_best_cam(pooled)
    assert list(kept) == ["labels", "cam alone (oracle threshold)"]
    assert kept["labels"] is pooled["labels"]
    assert kept["cam alone (oracle threshold)"] is pooled["cam>0.20"]


@pytest.fixture
def work(tmp_path):
    """A project up to the manifest: two images with masks; the mask list, as `data.score_split` leaves it, has b's."""

    def make(split):
        random, values = np.random.default_rng(2), np.zeros(256, np.uint8)
        values[[1, 2, 255]] = 8, 12, 255
        masks = {key: random.choice(np.array([0, 1, 2, 255], np.uint8), SIZE) for key in "ab"}
        raw, work = tmp_path / "raw", tmp_path / "work"
        raw.mkdir()
        for key, mask in masks.items():
            (raw / f"{key}.png").write_bytes(encode_label(values[mask]))
            Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(raw / f"{key}.jpg")
        records = [ImageRecord(key, f"{key}.jpg", *SIZE[::-1], split, ("cat", "dog"), "") for key in "ab"]
        write_manifest(work / "data/manifest", records, ClassTable(("cat", "dog"), (8, 12)), ["00"])
        write_json(work / "data/manifest/dataset.json", {"format": "voc", "unlisted": "error", "scenes": None})
        write_mask_list(work / "data/masks", {"b": ("b.png", "")}, ["00"])
        (work / "dvc.yaml").write_bytes((ROOT / "dvc.yaml").read_bytes())
        params = read_preset(ROOT / "params/presets/demo.yaml")
        (work / "params.yaml").write_text(yaml.safe_dump(params | {"shards": ["00"]}))
        return raw, work, masks

    return make


def test_score_counts_listed_masks_alone(work, load_stage, monkeypatch):
    raw, project, masks = work("train")
    random = np.random.default_rng(3)
    labels = {key: random.choice(np.array([0, 1, 2, 255], np.uint8), SIZE) for key in "ab"}
    write_archive(
        project / "data/labels/r0/00.zip", {f"{key}.png": encode_label(label) for key, label in labels.items()}
    )
    saliency = {f"{key}.png": encode_grey(random.random(SIZE)) for key in "ab"}
    write_archive(project / "data/saliency_labels/r0/00.zip", saliency)
    cams = {f"{key}.cam": random.random((2, 4, 6)).astype(np.float16) for key in "ab"}
    write_tensors(project / "data/maps/r0/00.safetensors", cams)
    monkeypatch.setenv("AUXSEG_DATA", str(raw))
    monkeypatch.chdir(project)
    load_stage("score").main(Stage("score", "r0", "00"))
    same(read_counts([project / "data/score/counts/r0/00.csv"], 2)["labels"], Counts.of(labels["b"], masks["b"], 2))


def test_evaluate_counts_each_prediction_under_its_name(work, load_stage, monkeypatch):
    """All background without other scales, all cat with them, the mask itself after the CRF: no network is needed."""
    raw, project, masks = work("val")
    evaluate = load_stage("evaluate")
    single, joined = np.zeros(SIZE, np.uint8), np.ones(SIZE, np.uint8)
    predictions = [Prediction(single, joined, masks[key]) for key in "ab"]
    monkeypatch.setattr(evaluate, "load_auxsegnet", lambda *_: torch.nn.Identity())
    monkeypatch.setattr(evaluate, "predict_photos", lambda *_: iter(predictions))
    monkeypatch.setenv("AUXSEG_DATA", str(raw))
    monkeypatch.chdir(project)
    (project / "data/models").mkdir()
    write_tensors(project / "data/models/r1.safetensors", {})
    evaluate.main(Stage("evaluate", "r1"))
    counts = read_counts([project / "data/evaluate/r1.csv"], 2)
    for name, prediction in {"model": single, "model+ms": joined, "model+ms+crf": masks["b"]}.items():
        same(counts[name], Counts.of(prediction, masks["b"], 2))
    files = Archive(project / "data/predictions/r1.zip")
    assert {key: decode_indices(files[f"{key}.png"]).tolist() for key in "ab"} == {
        key: mask.tolist() for key, mask in masks.items()
    }


def same(counts, expected):
    for name in ("correct", "predicted", "true"):
        assert getattr(counts, name).tolist() == getattr(expected, name).tolist()
    assert expected.true.sum() > 0
