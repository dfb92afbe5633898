"""`auxseg use own-data --data FOLDER` with an export of an annotation tool, and `prepare` on it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auxseg.artifacts.store import Store
from auxseg.cli.main import main
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.masks import Masks
from auxseg.datasets.prepare import prepare
from auxseg.params.dag import read_params
from auxseg.params.data import DataParams

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def here(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "params/presets", tmp_path / "project/params/presets")
    shutil.copy(ROOT / "dvc.yaml", tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.delenv("AUXSEG_DATA", raising=False)
    return tmp_path


def test_coco_json_from_the_export_to_masks(here, capsys):
    images, annotations = [], []
    for number, category in enumerate((3, 7, 3), 1):
        path = here / f"mine/images/cam/{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 12, 3), 40 * number, np.uint8)).save(path)
        images.append({"id": number, "file_name": f"cam/{number}.jpg", "height": 8, "width": 12})
        box = {"id": number, "image_id": number, "category_id": category, "iscrowd": 0}
        annotations.append({**box, "segmentation": [[2, 2, 6, 2, 6, 5, 2, 5]]})
    content = {"images": images, "annotations": annotations}
    content["categories"] = [{"id": 3, "name": "owl"}, {"id": 7, "name": "cat"}]
    (here / "mine/result.json").write_text(json.dumps(content))
    assert main(["use", "own-data", "--data", str(here / "mine")]) == 0
    printed = capsys.readouterr().out
    assert "data.format set to coco-json, because of result.json (and there is no image_labels.csv)" in printed
    assert "classes (from the labels): owl" in printed
    assert "2 classes, 3 masks" in printed
    prepare(
        DataParams.of(read_params()),
        ["00"],
        Path("data/manifest"),
        Path("data/masks"),
        Path("data/contradictions.json"),
    )
    dataset = Dataset(Store())
    assert {record.id: record.tags for record in dataset.records()} == {
        "cam/1": ("owl",),
        "cam/2": ("cat",),
        "cam/3": ("owl",),
    }
    masks = Masks.of(dataset)
    assert np.argwhere(masks["cam/2"] == 2).tolist() == [[y, x] for y in range(2, 5) for x in range(2, 6)]
    listed = Path("data/masks/00.csv").read_text().splitlines()[2].split(",")
    assert listed == ["cam/2", "result.json#2", masks.sha256("cam/2")]
