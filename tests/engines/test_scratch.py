"""A stage that runs again in a folder of its own: what it may see, and what is said of its bytes."""

from pathlib import Path

import pytest

from auxseg.engines.dvc_internals import Repo, open_repo
from auxseg.engines.scratch import run_again

SCRIPT = """\
import os, sys
from pathlib import Path
Path("data/out").mkdir(parents=True)
Path("data/out/a.txt").write_text(Path("data/in.txt").read_text() + os.environ.get("EXTRA", ""))
Path("data/out/b.txt").write_text(Path("params.yaml").read_text())
assert os.environ["DVC_STAGE"] == "a"  # from which stages take round and shard
sys.exit("no luck" if os.environ.get("FAIL") else "data/other.txt is there" if Path("data/other.txt").exists() else 0)
"""


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """The one stage of a project, which ran; `data/other.txt` is no input of it."""
    monkeypatch.chdir(tmp_path)
    Repo.init(no_scm=True).close()
    Path("data/out").mkdir(parents=True)
    Path("params.yaml").write_text("a: 1\n")
    Path("script.py").write_text(SCRIPT)
    for name, text in {"in.txt": "images", "other.txt": "", "out/a.txt": "images", "out/b.txt": "a: 1\n"}.items():
        Path("data", name).write_text(text)
    Path("dvc.yaml").write_text("stages: {a: {cmd: python script.py, deps: [data/in.txt], outs: [data/out]}}")
    with open_repo() as repo:
        (found,) = repo.index.stages
    return found


def contents() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def test_the_same_bytes(stage):
    before = contents()
    assert run_again(stage, {}) == []
    assert contents() == before


def test_other_bytes_are_named(stage):
    assert run_again(stage, {"EXTRA": "!"}) == ["data/out/a.txt: other bytes when a runs again"]


def test_files_that_come_or_go_are_named(stage):
    Path("data/out/b.txt").rename("data/out/c.txt")
    lines = ["data/out/b.txt: a run again writes it too", "data/out/c.txt: a run again does not write it"]
    assert run_again(stage, {}) == lines


def test_a_failure_is_a_line(stage):
    assert run_again(stage, {"FAIL": "1"}) == ["a: ended with exit code 1, see above"]
