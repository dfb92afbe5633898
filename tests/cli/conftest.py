"""A project to run commands in."""

import shutil
from pathlib import Path

import default_params
import pytest

from auxseg.engines.dvc_internals import Repo

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """params.yaml, dvc.yaml and one preset beside the demo, in a DVC project; the current folder."""
    shutil.copytree(ROOT / "params", tmp_path / "params")
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    (tmp_path / "params.yaml").write_text(default_params.TEXT)
    (tmp_path / "data").mkdir()
    shutil.copy(ROOT / "data/raw.yaml", tmp_path / "data")
    text = (tmp_path / "params.yaml").read_text()
    (tmp_path / "params/presets/mine.yaml").write_text(
        text.replace("format: scenes", "format: folder").replace("# The embedded", "# My own, not the embedded", 1)
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUXSEG_DATA", raising=False)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / ".site"))
    Repo.init(".", no_scm=True).close()
    return tmp_path
