"""The stage tag_score, with a network whose class scores are known: the mean red and green of an image."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from tiny import PARAMS, ROOT

from auxseg.artifacts.atomic import write_json
from auxseg.datasets.manifest import ClassTable, ImageRecord, write_manifest
from auxseg.errors import DataError
from auxseg.pipeline.stage import Stage

IMAGES = {  # id: colour, image-level labels, whether they are known
    "a": ((200, 10, 0), ("cat",), True),
    "b": ((100, 220, 0), ("dog",), True),
    "c": ((50, 30, 0), ("cat",), True),
    "d": ((255, 255, 0), (), False),
}


@pytest.fixture
def figure(tmp_path, monkeypatch, load_stage):
    """Return what the stage writes for some val images."""

    def run(names, network):
        module = load_stage("tag_score")
        monkeypatch.setattr(module, "load_classifier", lambda *_: network)
        monkeypatch.setattr(module, "noted_precision", lambda runtime, _: runtime)
        records = []
        for name in names:
            colour, tags, is_tagged = IMAGES[name]
            Image.fromarray(np.full((6, 8, 3), colour, np.uint8)).save(tmp_path / f"{name}.png")
            records.append(ImageRecord(name, f"{name}.png", 8, 6, "val", tags, "", is_tagged=is_tagged))
        write_manifest(Path("data/manifest"), records, ClassTable(("cat", "dog"), (1, 2)), ["00"])
        write_json(Path("data/manifest/dataset.json"), {"format": "folder", "unlisted": "error", "scenes": None})
        module.main(Stage("tag_score"))
        return json.loads(Path("data/metrics/classifier.json").read_text())["val_mean_average_precision"]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUXSEG_DATA", str(tmp_path))
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    return run


def red_and_green(image):
    return image.mean(dim=(2, 3))[:, :2]


def test_known_scores(figure):
    """cat: found first and third, (1/1 + 2/3) / 2; dog: found first. The image of unknown labels does not count."""
    assert figure("abcd", red_and_green) == pytest.approx((5 / 6 + 1) / 2)


def test_without_known_labels_there_is_no_figure_and_no_network(figure):
    def never(_):
        raise AssertionError("a GPU was asked for in vain")

    assert figure("d", never) is None


def test_scores_that_are_not_finite_name_the_image(figure):
    with pytest.raises(DataError, match="image 'a'"):
        figure("a", lambda image: red_and_green(image) * float("nan"))
