"""Projects that tests may change: copies of one that ran once."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest
from stub import commit, make_project, snakemake


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that Snakemake ran from nothing; not to be changed. Of several test processes, one runs it for all."""
    folder = tmp_path_factory.mktemp("finished") / "project"
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return _run(folder)
    shared = tmp_path_factory.getbasetemp().parent / "finished"
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not shared.exists():
            shutil.copytree(_run(folder), shared, symlinks=True)
            return folder
    return Path(shutil.copytree(shared, folder, symlinks=True))


def _run(folder: Path) -> Path:
    make_project(folder)
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
