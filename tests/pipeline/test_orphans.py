"""Outputs of rounds and shards that are gone: found, rejected where whole folders are read, and removed."""

import shutil
from pathlib import Path

import default_params
import pytest
import yaml

from auxseg.errors import DataError
from auxseg.pipeline.instances import outputs
from auxseg.pipeline.orphans import find_orphans, reject_orphans, remove_orphans
from auxseg.pipeline.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
VALUES = yaml.safe_load(default_params.TEXT)


@pytest.fixture(autouse=True)
def _project(tmp_path, monkeypatch):
    """The real dvc.yaml, and every output that it declares for these parameters."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "dvc.yaml", ".")
    Path("params.yaml").write_text(default_params.TEXT)
    for path in map(Path, outputs(VALUES)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_what_the_dag_writes_is_no_orphan():
    assert find_orphans(VALUES) == []
    reject_orphans(VALUES)


def test_a_round_that_is_gone_is_named_and_removed():
    path = Path(next(path for path in outputs(VALUES) if "/r2" in path).replace("/r2", "/r3"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    with pytest.raises(DataError, match=f"{path}: belongs to no round and shard .*auxseg rounds 2"):
        reject_orphans(VALUES)
    for name in ("summary", "audit"):  # they read whole folders
        with pytest.raises(DataError, match="would be read"):
            Stage(name).reject_orphans()
    remove_orphans([path])
    assert find_orphans(VALUES) == []
