"""`auxseg export cams`, in a small project with artifacts written by hand."""

from pathlib import Path

import numpy as np
import pytest
import small_project
from small_project import CAMS, CLASSES, RECORD

from auxseg.cli.main import main
from auxseg.datasets.scan import content_sha256
from auxseg.external.cams import FORMATS, CamFolder
from auxseg.maps import upsample
from auxseg.params.cam import CamParams


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    small_project.make_project(tmp_path, monkeypatch)


@pytest.mark.parametrize("layout", FORMATS)
def test_cams_come_back_as_seeds(layout):
    assert main(["export", "cams", "--round", "r1", "--format", layout, "--to", "out"]) == 0
    params = CamParams(
        provider="png" if layout == "png" else "npy", path="out", sha256=content_sha256(Path("out"), "path", "root")
    )
    found = CamFolder.of(params, Path(), CLASSES)(RECORD)
    if layout == "png":
        np.testing.assert_allclose(found.astype(np.float32), CAMS.astype(np.float32), atol=0.5 / 255 + 5e-4)
    else:
        assert found.tolist() == upsample(CAMS, 16, 24).astype(np.float16).tolist()


def test_the_best_round_is_the_default(capsys):
    small_project.judge("r1", best="r1")
    assert main(["export", "cams", "--format", "psa", "--to", "out"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("round r1: the last one") and lines[1].startswith("CAMs of 1 image of r1 in out")
    assert lines[2].startswith("next: ")
