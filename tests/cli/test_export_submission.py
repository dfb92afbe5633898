"""`auxseg export voc-submission`: the folder of `auxseg predict`, for VOC's server."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auxseg.cli.main import main
from auxseg.datasets import id_lists
from auxseg.datasets.id_lists import IdList, list_sha256
from auxseg.encoded import encode_label


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("dvc.yaml").touch()


@pytest.fixture
def voc_test_list(monkeypatch):
    """VOC's test list, of two ids."""
    published = {"test": IdList(2, list_sha256(["2008_000001", "2008_000004"]))}
    monkeypatch.setattr(id_lists, "VOC_LISTS", published)


def predictions(folder, *ids, value=20):
    Path(folder).mkdir(exist_ok=True)
    for key in ids:
        Path(folder, f"{key}.png").write_bytes(encode_label(np.full((3, 4), value, np.uint8)))


def test_voc_submission(voc_test_list, capsys):
    predictions("given", "2008_000001", "2008_000004")
    predictions("given/overlays", "2008_000009")  # what else `auxseg predict` writes there
    Path("given/classes.csv").touch()
    assert main(["export", "voc-submission", "--predictions", "given", "--to", "out"]) == 0
    files = sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("*.png"))
    folder = "results/VOC2012/Segmentation/comp6_test_cls"
    assert files == [f"{folder}/2008_000001.png", f"{folder}/2008_000004.png"]
    image = Image.open(f"out/{files[0]}")
    assert image.mode == "P" and np.asarray(image).max() == 20
    assert "tar -C out -czf results.tgz results" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("ids", "value", "message"),
    [
        (["2008_000001"], 20, "given: 1 id, but the published test has 2"),
        (["2008_000001", "2008_000005"], 20, "given: 2 ids, but not those of the published test"),
        (["2008_000001", "2008_000004"], 255, "2008_000001.png: value 255 is not a class of VOC"),
    ],
)
def test_what_the_server_would_reject(voc_test_list, ids, value, message, capsys):
    predictions("given", *ids, value=value)
    assert main(["export", "voc-submission", "--predictions", "given", "--to", "out"]) == 2
    assert message in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_submission_needs_its_folder(capsys):
    assert main(["export", "voc-submission", "--predictions", "nowhere", "--to", "out"]) == 2
    assert "nowhere: no such folder; make them with `auxseg predict" in capsys.readouterr().err
