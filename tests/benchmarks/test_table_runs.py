"""Runs of experiments in a project whose stages write one line each: what is shared, what a killed run leaves."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from auxseg.artifacts.tables import read_csv

ROOT = Path(__file__).resolve().parents[2]

DVC_YAML = """\
stages:
  saliency:
    cmd: python stage.py data/saliency.txt
    params: [data, saliency]
    outs: [data/saliency.txt]
  classify:
    cmd: python stage.py data/r0.txt
    params: [data, classify]
    outs: [data/r0.txt]
  labels:
    cmd: python stage.py data/labels.txt
    deps: [data/saliency.txt, data/r0.txt]
    params: [labels]
    outs: [data/labels.txt]
  train:
    foreach: ${rounds}
    do:
      cmd: python stage.py data/models/${key}.txt
      deps: [data/labels.txt]
      params: [network, train]
      outs: ["data/models/${key}.txt"]
  summary:
    cmd: python stage.py data/summary/rounds.csv
    deps: [data/models]
    outs: [data/summary/rounds.csv]
"""

STAGE = """\
import os, pathlib, sys, time
import yaml

stage, output = os.environ["DVC_STAGE"], pathlib.Path(sys.argv[1])
network = yaml.safe_load(pathlib.Path("params.yaml").read_text())["network"]
notes = pathlib.Path(os.environ["NOTES"])
with open(notes / "ran.txt", "a") as log:
    log.write(stage + "\\n")
if stage == "train@r1" and os.environ.get("FAIL") == network["affinity"]:
    sys.exit("no luck today")
if stage == "train@r1" and os.environ.get("HOLD") == network["affinity"]:
    (notes / "held").touch()
    time.sleep(600)
output.parent.mkdir(parents=True, exist_ok=True)
if stage == "summary":
    miou = 10 * len(pathlib.Path("data/models/r1.txt").read_text())
    output.write_text(f"round,what,set,miou,precision,recall\\nr1,model,val,{miou},50,60\\n")
else:
    output.write_text(network["affinity"] if stage.startswith("train") else stage)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in git with the real experiments, presets and programs."""
    folder = tmp_path / "project"
    for path in ("experiments", "params/presets"):
        shutil.copytree(ROOT / path, folder / path)
    programs = ["tables", "tables_run", "tables_results", "experiment_files", "clones", "held_out"]
    files = {f"benchmarks/{name}.py": (ROOT / f"benchmarks/{name}.py").read_text() for name in programs}
    files |= {
        "dvc.yaml": DVC_YAML,
        "stage.py": STAGE,
        "data/raw.yaml": "files: 0\n",
        ".gitignore": "/data/*\n!/data/raw.yaml\n",
        "docs/experiments.md": "# Page\n\n<!-- table table4 scenes -->\nold\n<!-- end -->\n",
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site-cache"))
    monkeypatch.setenv("NOTES", str(tmp_path))
    monkeypatch.delenv("AUXSEG_DATA", raising=False)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t"]
    for command in (
        [*git, "init", "-q"],
        [sys.executable, "-m", "dvc", "init", "-q"],
        [*git, "add", "-A"],
        [*git, "commit", "-qm", "new"],
    ):
        subprocess.run(command, cwd=folder, check=True)
    return folder


def start(project: Path, *arguments: str, **settings: str) -> subprocess.Popen:
    command = [sys.executable, "benchmarks/tables.py", *arguments, "--work", str(project.parent / "work")]
    out = (project.parent / "out.txt").open("w")
    return subprocess.Popen(
        command, cwd=project, env={**os.environ, **settings}, stdout=out, stderr=out, start_new_session=True
    )


def finish(project: Path, *arguments: str, code: int = 0, **settings: str) -> str:
    """Run to the end and return all it printed."""
    exit_code = start(project, *arguments, **settings).wait()
    printed = (project.parent / "out.txt").read_text()
    assert exit_code == code, printed
    return printed


def kill(process: subprocess.Popen) -> None:
    """Kill a run with all that it started; return when none of them is left.

    DVC respects the locks of a process for as long as its number is taken: a killed one's until it has been reaped.
    """
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise AssertionError("a killed process is still there after 60 s")


def ran(project: Path) -> Counter:
    """Return how often each stage's command ran since the last call."""
    log = project.parent / "ran.txt"
    lines = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    return Counter(lines)


def kept(project: Path) -> dict[str, str]:
    """Return the mIoU of every experiment that has a figure."""
    return {row["experiment"]: row["miou"] for row in read_csv(project / "benchmarks/tables.csv")}


def test_a_killed_run_goes_on_with_the_first_missing_and_shares_what_is_upstream(project):
    table = ["--seeds", "7", "--base", "scenes", "table4/none", "table4/segmentation", "table4/cross-task"]
    held = project.parent / "held"
    process = start(project, *table, HOLD="segmentation")
    while not held.exists():
        assert process.poll() is None, (project.parent / "out.txt").read_text()
        time.sleep(0.2)
    kill(process)  # in the midst of the second experiment
    assert ran(project) == {"saliency": 1, "classify": 1, "labels": 1, "train@r1": 2, "summary": 1}
    assert kept(project) == {"table4/none": "40"}

    printed = finish(project, *table, FAIL="cross_task", code=1)
    assert ran(project) == {"train@r1": 2, "summary": 1}  # nothing upstream, and nothing of the first
    assert kept(project) == {"table4/none": "40", "table4/segmentation": "120"}
    assert "table4/none on scenes, seed 7: kept, made at " in printed
    assert "table4/cross-task on scenes, seed 7: failed" in printed and "no luck today" in printed

    printed = finish(project, *table, "table3/all")
    assert ran(project) == {"train@r1": 1, "summary": 1}
    assert kept(project) == {
        "table3/all": "40",
        "table4/none": "40",
        "table4/segmentation": "120",
        "table4/cross-task": "100",
    }
    assert "table3/all on scenes, seed 7: the same as table4/none" in printed
    assert not [path for path in (project.parent / "work").iterdir() if path.is_dir()]  # clones are gone, logs stay
    text = (project / "docs/experiments.md").read_text()
    assert "| segmentation affinity | - | - | 120.0 | +80.0 | - | 1 | 61.5 |" in text and "old" not in text


def test_collecting_alone_renews_the_pages(project):
    (project / "benchmarks/tables.csv").write_text(
        "experiment,base,seed,round,what,set,miou,precision,recall,params,commit,minutes\n"
        "table4/none,scenes,0,r1,model,val,42.5,50,60,abc,123,1.0\n"
    )
    finish(project, "--collect")
    assert not ran(project)
    text = (project / "docs/experiments.md").read_text()
    assert "| no affinity | - |  | 42.5 |  | - | 1 | 60.8 |" in text and "Made at 123." in text


def test_what_is_missing_is_listed_and_nothing_runs(project):
    printed = finish(project, "table6", "--list", "--seeds", "0", "1")
    assert printed.splitlines() == [
        f"table6/{row} on scenes, seed {seed}: {state}"
        for seed in (0, 1)
        for row, state in (
            ("boundary", "missing"),
            ("u2netp", "missing"),
            ("precomputed", "left out, the data root has no folder 'saliency'"),
        )
    ]
    assert not (project / "benchmarks/tables.csv").exists()
    assert finish(project, "tabel4", code=2).startswith("error: experiments: no 'tabel4' there; did you mean 'table4'?")
