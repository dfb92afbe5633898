"""Copies of a finished project, for tests that damage it."""

import shutil
from pathlib import Path

import pytest
import recorded_project


@pytest.fixture(scope="session")
def recorded(tmp_path_factory) -> Path:
    """The project; not to be changed."""
    return recorded_project.make(tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def project(recorded, tmp_path, monkeypatch) -> Path:
    """A copy of the project, the current folder; checks run in this process."""
    folder = Path(shutil.copytree(recorded, tmp_path / "project", symlinks=True))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AUXSEG_DATA", str(folder / "raw"))
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)
    return folder
