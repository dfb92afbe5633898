"""A stage whose parameters or inputs change while it runs fails, and no engine records its result."""

import os
import subprocess
import sys
from pathlib import Path

import default_params
import pytest
import yaml

from auxseg.engines.dvc_internals import Repo
from auxseg.pipeline.unchanged import differences

SCRIPT = """\
'''A stage that writes its threshold while somebody does something else.'''
from pathlib import Path
from auxseg.params.labels import LabelsParams
from auxseg.pipeline.stage import run

def main(stage):
    threshold = stage.params(LabelsParams).cam_threshold
    meanwhile = Path("meanwhile.py")
    if meanwhile.exists():
        exec(meanwhile.read_text())
    Path("data/labels").mkdir(exist_ok=True)
    Path("data/labels/r0.zip").write_text(str(threshold))

run("labels", main)
"""
STAGES = {
    "labels": {
        "cmd": f"{sys.executable} script.py",
        "deps": ["data/maps", "review/verdicts.csv"],
        "params": ["labels"],
        "outs": ["data/labels/r0.zip"],
    }
}
PARAMS = default_params.TEXT.replace("cam_threshold: 0.2", "cam_threshold: 0.11")
END = "while labels ran, so its result is not recorded; run again"


def set_to(old: str, new: str) -> str:
    return f"p = Path('params.yaml'); p.write_text(p.read_text().replace({old!r}, {new!r}))"


EDIT = set_to("cam_threshold: 0.11", "cam_threshold: 0.93")


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("data/maps/00.safetensors", "data/maps/01.safetensors", "review/verdicts.csv"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text("1234")
    Path("params.yaml").write_text(PARAMS)
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}))
    Path("script.py").write_text(SCRIPT)
    return tmp_path


def run(*command: str, code: int = 0) -> str:
    done = subprocess.run(
        command, env={**os.environ, "AUXSEG_LOG": "ERROR"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("meanwhile", "message"),
    [
        (EDIT, f"params.yaml: key 'labels.cam_threshold': changed from 0.11 to 0.93 {END}"),
        (
            set_to("cam_threshold: 0.11", "cam_thresh: 0.11"),
            f"params.yaml: key 'labels.cam_threshold': changed from 0.11 to None {END}",
        ),
        ("Path('params.yaml').write_text('labels: 3')", "params.yaml: key 'labels': changed from {'initial': "),
        ("Path('data/maps/00.safetensors').write_text('4321')", f"data/maps/00.safetensors: changed {END}"),
        ("Path('data/maps/01.safetensors').unlink()", f"data/maps/01.safetensors: changed {END}"),
        ("Path('data/maps/02.safetensors').touch()", f"data/maps/02.safetensors: changed {END}"),
        # the same size and time: another file was moved there
        (
            "import os; a = Path('review/verdicts.csv'); s = a.stat(); b = Path('b'); b.write_text('4321');"
            "os.utime(b, ns=(s.st_atime_ns, s.st_mtime_ns)); b.replace(a)",
            f"review/verdicts.csv: changed {END}",
        ),
    ],
)
def test_a_change_is_one_line_and_may_be_tried_again(project, meanwhile, message):
    Path("meanwhile.py").write_text(meanwhile)
    err = run(sys.executable, "script.py", code=1)
    assert err.startswith(f"ERROR: {message}") and err.endswith(f"{END}\n") and err.count("\n") == 1
    assert len(err) < 300


def test_a_file_that_can_no_longer_be_read_is_said(project):
    Path("meanwhile.py").write_text("Path('params.yaml').write_text('labels: {')")
    assert run(sys.executable, "script.py", code=2).startswith("ERROR: params.yaml line 1: not YAML")


@pytest.mark.parametrize(
    "meanwhile",
    [
        set_to("seed: 0", "seed: 1"),  # of sections that this stage does not read
        set_to("rounds: {r1: r0, r2: r1}", "rounds: {r1: r0, r2: r1, r3: r2}"),
        set_to("cam_threshold: 0.11", "cam_threshold: 0.110  # as before"),
        set_to("cam_threshold: 0.11", "cam_threshold: 0.93")
        + ";"
        + set_to("cam_threshold: 0.93", "cam_threshold: 0.11"),
        "Path('data/maps/.tmp-7-02.safetensors').touch()",
        "Path('data/other').touch()",
    ],
)
def test_what_the_stage_does_not_read_may_change(project, meanwhile):
    Path("meanwhile.py").write_text(meanwhile)
    run(sys.executable, "script.py")
    assert Path("data/labels/r0.zip").read_text() == "0.11"


def test_dvc_records_nothing_and_the_next_run_uses_the_new_value(project):
    Repo.init(no_scm=True).close()
    Path("meanwhile.py").write_text(EDIT)
    assert "changed from 0.11 to 0.93" in run(sys.executable, "-m", "dvc", "repro", code=255)
    assert not Path("dvc.lock").exists()
    Path("meanwhile.py").unlink()
    run(sys.executable, "-m", "dvc", "repro")
    entry = yaml.safe_load(Path("dvc.lock").read_text())["stages"]["labels"]
    assert entry["params"]["params.yaml"]["labels"]["cam_threshold"] == 0.93
    assert Path("data/labels/r0.zip").read_text() == "0.93"


def test_differences_are_named_by_key_and_type():
    old, new = {"a": {"b": 1, "c": [1]}, "d": float("nan")}, {"a": {"b": True, "c": [2], "e": 0}, "d": float("nan")}
    assert list(differences(old, new)) == [("a.b", 1, True), ("a.c", [1], [2]), ("a.e", None, 0)]
    assert not list(differences({"a": {"b": 1, "c": 2}}, {"a": {"c": 2, "b": 1}}))
