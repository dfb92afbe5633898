"""The program that corrects the worst labels with their masks: what it draws is the mask."""

import json
from pathlib import Path

import corrections
import numpy as np
import pytest
import yaml

from auxseg.artifacts.atomic import write_json
from auxseg.datasets.annotations import draw_labelme
from auxseg.datasets.manifest import ClassTable, ImageRecord, write_manifest, write_mask_list
from auxseg.datasets.mask_reading import IndexOf
from auxseg.encoded import encode_label

CLASSES = ClassTable(("cat", "dog"), (8, 12))


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUXSEG_DATA", str(tmp_path))
    Path("params.yaml").write_text(yaml.safe_dump({"data": {"format": "folder"}}))
    records = [ImageRecord(key, f"{key}.jpg", 4, 3, "train", ("cat",), "") for key in ("a", "b")]
    write_manifest(Path("data/manifest"), records, CLASSES, ["00"])
    write_mask_list(Path("data/masks"), {"a": ("a.png", "")}, ["00"])
    write_json(Path("data/manifest/dataset.json"), {"format": "folder", "scenes": None, "unlisted": "error"})


def test_a_mask_takes_the_place_of_the_exported_label():
    values = np.array([[0, 8, 8, 255], [0, 8, 0, 8], [12, 8, 8, 8]], np.uint8)
    Path("a.png").write_bytes(encode_label(values))
    for key in ("a", "b"):
        size = {"imageHeight": 3, "imageWidth": 4}
        write_json(Path(f"fix/{key}.json"), {"version": "5.5.0", "shapes": [], "imagePath": f"{key}.jpg", **size})
    before = Path("fix/b.json").read_bytes()
    assert corrections.draw_masks(Path("fix")) == 1
    label = draw_labelme.draw(Path("fix/a.json"), IndexOf(CLASSES, "error", "fix"))
    assert label.tolist() == [[0, 1, 1, 255], [0, 1, 0, 1], [2, 1, 1, 1]]
    assert json.loads(Path("fix/a.json").read_text())["imagePath"] == "a.jpg"
    assert Path("fix/b.json").read_bytes() == before  # no mask


def test_a_copy_leaves_cache_and_locks_behind(tmp_path, monkeypatch):
    for path in ("one/.dvc/cache/x", "one/.dvc/tmp/lock", "one/data/cache/kept", "one/.dvc/config"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text("x")
    monkeypatch.setattr(corrections, "share_cache", lambda project, copy: None)
    corrections.copy_project(Path("one"), Path("two"))
    found = sorted(path.relative_to("two").as_posix() for path in Path("two").rglob("*") if path.is_file())
    assert found == [".dvc/config", "data/cache/kept"]
