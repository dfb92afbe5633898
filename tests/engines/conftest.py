"""Projects that tests may change: copies of one that ran once."""

import shutil
from pathlib import Path

import pytest
from stub import commit, make_project, snakemake


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that Snakemake ran from nothing; not to be changed."""
    folder = make_project(tmp_path_factory.mktemp("finished"))
    snakemake(folder, "--cores", "2")
    commit(folder)
    return folder


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished project, its log of runs empty."""
    folder = tmp_path / "project"
    shutil.copytree(finished, folder, symlinks=True)
    (folder / "logs/ran.txt").unlink()
    return folder
