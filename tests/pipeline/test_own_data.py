"""Forty images with tags as people write them, through the preset own-data: the README's commands, and the guard."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny
import yaml
from PIL import Image

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.tables import read_csv
from auxseg.datasets.scenes import SCENES_CLASSES, write_scenes
from auxseg.guard.record import Judgement
from auxseg.params.data import ScenesParams

IMAGES = 40
QUICK = {
    "runtime": {"threads": 1, "precision": "float32"},
    "saliency": {"provider": "boundary", "superpixels": 40},
    "classify": {"steps": 30, "augment": {"crop": 64, "resize_long": [64, 80]}},
    "train": {"steps": 30, "augment": {"crop": 64, "resize_long": [64, 80]}},
    "cam": {"scales": [1.0]},
    "network": {"channels": 16},
    "evaluate": {"scales": [1.0], "flip": False},
}
"""Overrides of the preset, so that a round takes seconds."""


def auxseg(project: Path, *arguments: str, code: int = 0) -> str:
    return tiny.run(project, "python", "-m", "auxseg.cli.main", *arguments, code=code)


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """A folder of images, and a table as Excel saves it: semicolons, file names, capitals, `a, b`."""
    root = tmp_path_factory.mktemp("photos")
    write_scenes(root / "scenes", ScenesParams(train=IMAGES + 2, val=0, side=64))
    rows = sorted(read_csv(root / "scenes/image_labels.csv"), key=lambda row: row["image_id"])
    (root / "mine/images").mkdir(parents=True)
    (root / "other").mkdir()
    written = []
    for number, row in enumerate(rows):
        (path,) = (root / "scenes/JPEGImages").glob(f"{row['image_id']}.*")
        shutil.copy(path, root / ("mine/images" if number < IMAGES else "other") / path.name)
        names = row["labels"].replace(";", " ").split()
        shown = ", ".join(name.capitalize() if number == 0 else name for name in names)
        if number < IMAGES:
            written.append([path.name, shown])
    with (root / "mine/image_labels.csv").open("w", newline="", encoding="utf-8-sig") as stream:
        csv.writer(stream, delimiter=";").writerows([["Filename", "Tags"], *written])
    return root


@pytest.fixture(scope="module")
def finished(tmp_path_factory, photos) -> Path:
    """The project after the README's first three lines."""
    project = tiny.make_project(tmp_path_factory.mktemp("own") / "project")
    printed = auxseg(project, "use", "own-data", "--data", str(photos / "mine"))
    assert "classes (from the labels): " in printed and "next: " in printed
    values = yaml.safe_load((project / "params.yaml").read_text())
    for section, overrides in QUICK.items():
        for key, value in overrides.items():
            both = isinstance(value, dict) and isinstance(values[section].get(key), dict)
            values[section][key] = {**values[section][key], **value} if both else value
    (project / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    auxseg(project, "rounds", "1")
    (project / "run.log").write_text(auxseg(project, "run"))
    return project


@pytest.fixture
def project(tmp_path, finished) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "project", symlinks=True))


def test_the_class_table_is_the_tags(finished):
    rows = read_csv(finished / "data/manifest/classes.csv")
    assert {row["name"] for row in rows} - {"background"} <= set(SCENES_CLASSES)
    images = [row for path in (finished / "data/manifest").glob("*/*.csv") for row in read_csv(path)]
    assert len(images) == IMAGES
    assert {row["split"] for row in images} == {"train"}  # nothing is set aside where there is nothing to measure with


def test_the_log_says_where_the_run_stands_and_ends_with_the_results(finished):
    log = (finished / "run.log").read_text()
    assert "stage 2 of " in log and "train@r1" in log
    assert "30 steps of 8 images" in log
    assert "dvc push" not in log
    tail = log.splitlines()[-8:]
    assert any(line.startswith("report") and "data/audit/index.html" in line for line in tail)
    assert any(line.startswith("labels") for line in tail) and any(line.startswith("model") for line in tail)


def test_without_masks_there_is_no_val_and_nothing_is_predicted(finished):
    """Nothing to validate with: every image is trained on and labelled."""
    assert json.loads((finished / "data/metrics/classifier.json").read_text()) == {"val_mean_average_precision": None}
    for round_name in ("r0", "r1"):
        labels = [*(finished / f"data/labels/{round_name}").glob("*.zip")]
        assert sum(len(Archive(path)) for path in labels) == IMAGES
    assert len(Archive(finished / "data/predictions/r1.zip")) == 0
    assert read_csv(finished / "data/evaluate/r1.csv") == read_csv(finished / "data/summary/rounds.csv") == []
    shown = (finished / "data/audit/index/base.js").read_text().replace("\\", "")
    assert f'"totals":{{"train":{IMAGES},"val":0}}' in shown
    assert tiny.status(finished) == "Data and pipelines are up to date."
    tiny.run(finished, "dvc", "metrics", "show")
    assert tiny.shown_plots(finished)["data/curves/r1.csv"]


def test_every_image_gets_a_mask_and_an_overlay(project):
    printed = auxseg(project, "export", "labels", "--split", "all", "--to", "masks")
    assert f"{IMAGES} " in printed
    names = {path.stem for path in Path(project / "masks").glob("*.png")}
    assert names == {row["image_id"] for row in read_csv(project / "masks/masks.csv")} and len(names) == IMAGES
    assert {row["kind"] for row in read_csv(project / "masks/masks.csv")} == {"label"}
    auxseg(project, "export", "overlays", "--to", "overlays")
    assert len(list((project / "overlays").glob("*.jpg"))) == IMAGES


def test_new_images_are_segmented(project, photos):
    last = yaml.safe_load((project / "params.yaml").read_text())["label_rounds"][-1]
    auxseg(project, "predict", "--round", last, "--images", str(photos / "other"), "--to", "new")
    values = {int(row["value"]) for row in read_csv(project / "new/classes.csv")}
    for path in (photos / "other").iterdir():
        mask = np.asarray(Image.open(project / f"new/{path.stem}.png"))
        assert mask.shape == (64, 64) and set(np.unique(mask)) <= values


def test_a_collapsed_round_stops_the_run_and_the_initial_labels_are_used(project):
    """One step of training leaves an affinity that spreads CAMs over the whole image."""
    for section, values in {"train": {"steps": 1}, "guard": {"action": "stop"}}.items():
        tiny.edit_params(project, section, **values)
    auxseg(project, "rounds", "2")
    printed = auxseg(project, "run", code=255)
    assert "round 1 is worse than the initial labels: " in printed and "`auxseg rounds 1`" in printed
    assert "Traceback" not in printed
    judged = Judgement.read(project / "data/guard/r1.json")
    assert not judged.good and judged.best == "r0"
    auxseg(project, "rounds", "1")
    printed = auxseg(project, "run")
    assert "best round" in printed and "round 1 is worse than the initial labels: " in printed
    printed = auxseg(project, "export", "labels", "--to", "masks")
    assert "r0" in printed
    assert {row["round"] for row in read_csv(project / "masks/masks.csv")} == {"r0"}
    page = (project / "data/audit/index/base.js").read_text().replace("\\", "")
    assert '"best":"r0"' in page and "is worse than the initial labels" in page
