"""One class and images without any object, through the real stages to the report."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny
from odd_sets import Case, Picture, run_stages
from PIL import Image

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.tables import read_csv
from auxseg.artifacts.tensors import TensorFile
from auxseg.encoded import IGNORE, decode_grey, decode_indices

SIDE = 64
TRAIN = {"road0": True, "road1": True, "road2": True, "road3": True, "off0": False, "off1": False}
VAL = {"road4": True, "off2": False, "off3": False}
NEGATIVES = {name for name, shows in {**TRAIN, **VAL}.items() if not shows}


def draw(rng: np.random.Generator, shows: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return an image with a green disc, and with a grey band, the road, if `shows`; and its mask."""
    rgb = rng.integers(90, 130, (SIDE, SIDE, 3)).astype(np.uint8)
    y, x = np.mgrid[:SIDE, :SIDE]
    rgb[(y - 14) ** 2 + (x - rng.integers(12, 50)) ** 2 < 100] = (20, 200, 40)  # salient, and not a class
    mask = np.zeros((SIDE, SIDE), np.uint8)
    if shows:
        mask[36 : 36 + rng.integers(10, 24)] = 1
        rgb[mask == 1] = (220, 60, 50)
    return rgb, mask


def pictures() -> dict[str, Picture]:
    rng, found = np.random.default_rng(3), {}
    for split, images in (("train", TRAIN), ("val", VAL)):
        for name, shows in images.items():
            rgb, mask = draw(rng, shows)
            found[name] = Picture(Image.fromarray(rgb), mask, ("road",) if shows else (), split)
    return found


ROADS = Case(
    pictures(),
    {
        "data": {"classes": ["road"]},
        "network": {"refine_with": "pairwise"},
        "propagate": {"flip": True, "initial_share": 0.5, "scales": [1.0, 1.5]},
        "evaluate": {"recognition": 1.0},
    },
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, load_stage) -> Path:
    run = run_stages(tmp_path_factory.mktemp("negatives"), ROADS, load_stage, "resnet18")
    assert not run.stopped
    return run.folder


@pytest.fixture(scope="module")
def data(finished) -> Path:
    return finished.parent / "raw"


@pytest.fixture
def project(finished, tmp_path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "project"))


def test_scan_counts_them(project, data):
    printed = tiny.auxseg(project, "scan", data=data)
    assert "6 train and 3 val images, 1 class, 9 masks" in printed
    assert "without any object: 2 train and 2 val" in printed
    assert "4 images have no label and are taken as background everywhere: off0, off1, off2, off3;" in printed


def labels(project: Path, round_name: str) -> dict[str, np.ndarray]:
    archive = Archive(project / f"data/labels/{round_name}/00.zip")
    return {name.removesuffix(".png"): decode_indices(png) for name, png in archive.items()}


def test_the_manifest_tells_negatives_in_both_splits(finished):
    shards = (finished / f"data/manifest/{split}/00.csv" for split in ("train", "val"))
    rows = {row["id"]: row["labels"] for path in shards for row in read_csv(path)}
    assert {name for name, cell in rows.items() if cell == "background"} == NEGATIVES
    assert {cell for name, cell in rows.items() if name not in NEGATIVES} == {"road"}


@pytest.mark.parametrize("round_name", ["r0", "r1"])
def test_the_label_of_a_negative_is_background_everywhere(finished, round_name):
    found = labels(finished, round_name)
    assert found.keys() == TRAIN.keys()
    assert {name for name, label in found.items() if not label.any()} >= NEGATIVES & TRAIN.keys()
    assert any(label.any() for label in found.values())
    saliency = Archive(finished / f"data/saliency_labels/{round_name}/00.zip")
    assert all((decode_grey(saliency[f"{name}.png"]) > 0.06).any() for name in NEGATIVES & TRAIN.keys())
    maps = TensorFile(finished / f"data/maps/{round_name}/00.safetensors")
    assert maps["off0.cam"].shape == (0, *maps["road0.cam"].shape[1:])


def test_negatives_are_trained_on_and_in_every_figure(finished):
    for name in ("r0", "r1"):
        rows = {row["image_id"]: row["use"] for row in read_csv(finished / f"data/review/{name}.csv")}
        assert rows == dict.fromkeys(TRAIN, "train")
    assert json.loads((finished / "data/metrics/classifier.json").read_text())["val_mean_average_precision"] > 0
    counts = [row for row in read_csv(finished / "data/evaluate/r1.csv") if row["kind"] == "model+ms+crf"]
    assert len(counts) == 2 and sum(int(row["true"]) for row in counts) == len(VAL) * SIDE * SIDE
    scored = [row for row in read_csv(finished / "data/score/counts/r1/00.csv") if row["kind"] == "labels"]
    assert sum(int(row["true"]) for row in scored) == len(TRAIN) * SIDE * SIDE
    predictions = Archive(finished / "data/predictions/r1.zip")
    assert {name.removesuffix(".png") for name in predictions} == VAL.keys()


def test_the_figures_are_those_of_the_files(finished, data):
    """IoU of one class and background, by hand."""
    found = labels(finished, "r1")
    masks = {name: np.asarray(Image.open(data / f"masks/{name}.png")) for name in found}
    label, mask = (np.stack([one[name] for name in found]) for one in (found, masks))
    assert set(np.unique(label)) <= {0, 1, IGNORE}
    ious = [((label == k) & (mask == k)).sum() / ((label == k) | (mask == k)).sum() for k in (0, 1)]
    row = next(
        row for row in read_csv(finished / "data/summary/rounds.csv") if (row["round"], row["what"]) == ("r1", "labels")
    )
    assert float(row["miou"]) == pytest.approx(100 * np.mean(ious), abs=0.01)


def test_report_guard_and_exports_take_negatives(project, data):
    judgement = json.loads((project / "data/guard/r1.json").read_text())
    assert judgement["figures"]["lost"] is not None
    assert '\\"tags\\":[[],[],[1],[1],[1],[1]]' in (project / "data/audit/index/base.js").read_text()
    for layout in ("psa", "irn", "clip-es", "png"):
        tiny.auxseg(project, "export", "cams", "--format", layout, "--to", layout)
    assert len(list((project / "psa").glob("*.npy"))) == len(TRAIN)
    for what in ("labels", "overlays"):
        tiny.auxseg(project, "export", what, "--round", "r1", "--split", "all", "--to", what, data=data)
    assert len(list((project / "labels").glob("*.png"))) == len(TRAIN) + len(VAL)
