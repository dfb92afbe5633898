"""A stage runs this project's code, and its result is recorded only under that code's fingerprint."""

import shutil
import sys
from pathlib import Path

import default_params
import pytest

from auxseg.cli.main import main
from auxseg.errors import ChangedError
from auxseg.pipeline.fingerprint import Fingerprints
from auxseg.pipeline.own_code import OwnCode
from auxseg.pipeline.stage import Stage, run

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path("workflow/stages/guard.py")
FINGERPRINT = Path("data/code/guard.txt")


@pytest.fixture(autouse=True)
def _project(tmp_path, monkeypatch):
    """A project with a copy of a stage's script, and its fingerprint as the run began with it."""
    monkeypatch.chdir(tmp_path)
    for path in (SCRIPT, FINGERPRINT):
        path.parent.mkdir(parents=True)
    Path("src").symlink_to(ROOT / "src")
    shutil.copy(ROOT / SCRIPT, SCRIPT)
    shutil.copy(ROOT / "dvc.yaml", ".")
    Path("params.yaml").write_text(default_params.TEXT)
    FINGERPRINT.write_text(Fingerprints().stage("guard") + "\n")


def append(line: str) -> None:
    SCRIPT.write_text(SCRIPT.read_text() + line + "\n")


def test_code_may_get_comments_but_no_change():
    code = OwnCode("guard", FINGERPRINT)
    append("# a remark")
    code.check()
    append("anything = 1")
    with pytest.raises(ChangedError, match="the code of the stage guard changed after the run began"):
        code.check()
    with pytest.raises(ChangedError):  # nor may a stage of the same run begin with it
        OwnCode("guard", FINGERPRINT)


@pytest.mark.parametrize("when", ["before", "during"])
def test_no_result_of_edited_code_is_recorded(when, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["guard.py"])
    monkeypatch.setenv("DVC_STAGE", "guard@r1")
    if when == "before":
        append("anything = 1")
    ran = []

    def edit(stage: Stage) -> None:
        ran.append(stage.address)
        append("anything = 1")

    with pytest.raises(SystemExit) as exit_:
        run("guard", edit, rounds=True)
    assert exit_.value.code == 1  # as when a parameter changed: not a rejection, and the next run does it again
    assert ran == ([] if when == "before" else ["guard@r1"])
    assert "so its result would be recorded as that of other code" in capsys.readouterr().err


def test_another_projects_package_is_rejected(capsys):
    Path("src").unlink()
    (Path("src/auxseg/pipeline")).mkdir(parents=True)
    shutil.copy(ROOT / "src/auxseg/pipeline/own_code.py", "src/auxseg/pipeline")
    assert main(["check"]) == 2
    error = capsys.readouterr().err
    assert "not the code that runs" in error and str(ROOT / "src") in error and "make env" in error
