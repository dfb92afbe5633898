"""Which instance a script runs: from DVC_STAGE or the command line, never from a text that a shell has read."""

import os
import subprocess
import sys
from pathlib import Path

import default_params
import pytest
import yaml

from auxseg.engines.dvc_internals import Repo

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """\
'''Say which instance this is.'''
from auxseg.pipeline.stage import run

def main(stage):
    print(stage.address)
    for path in stage._declared.outputs:
        stage.outputs.path(path).parent.mkdir(parents=True, exist_ok=True)
        stage.outputs.path(path).touch()

run("{name}", main, rounds={rounds}, shards={shards})
"""
TAKES = {"labels": (True, True), "train": (True, False), "cam": (False, True), "audit": (False, False)}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stages = {name: {"cmd": "x", "outs": [f"data/{name}.txt"]} for name in TAKES}
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    Path("params.yaml").write_text(default_params.TEXT)
    Path("workflow/stages").mkdir(parents=True)
    for name, (rounds, shards) in TAKES.items():
        Path(f"workflow/stages/{name}.py").write_text(SCRIPT.format(name=name, rounds=rounds, shards=shards))
    return tmp_path


def run(name: str, *arguments: str, address: str = "") -> subprocess.CompletedProcess:
    environment = {**os.environ, "AUXSEG_LOG": "ERROR", "DVC_STAGE": address}
    command = [sys.executable, f"workflow/stages/{name}.py", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "address", "said"),
    [
        (["labels"], "labels@r1-00", "labels@r1-00"),
        (["train"], "train@r2", "train@r2"),
        (["cam"], "cam@01", "cam@01"),
        (["audit"], "audit", "audit"),
        (["labels", "--round", "r2", "--shard", "01"], "", "labels@r2-01"),
        (["labels", "--round", "r2"], "labels@r1-00", "labels@r2-00"),
    ],
)
def test_round_and_shard(project, arguments, address, said):
    done = run(*arguments, address=address)
    assert (done.stdout, done.stderr, done.returncode) == (f"{said}\n", "", 0)


@pytest.mark.parametrize(("name", "address"), [("labels", ""), ("labels", "labels@r1"), ("train", "labels@r1-00")])
def test_without_them_it_says_what_is_missing(project, name, address):
    done = run(name, address=address)
    assert done.returncode == 2 and "the following arguments are required: --" in done.stderr


def test_no_command_has_a_template():
    bodies = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].values()
    assert not [body for body in bodies if "$" in body.get("do", body)["cmd"]]


def test_a_round_with_a_shell_command_as_its_name_runs_nothing(project):
    """What comes before it is cached, so the first thing that runs is the command of that round."""
    Repo.init(no_scm=True).close()
    train = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]["train"]
    train["do"] = {"cmd": train["do"]["cmd"], "outs": ["data/models/${key}.txt"]}
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"train": train}}))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    def repro() -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "dvc", "repro"]
        return subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)

    assert repro().returncode == 0
    values = yaml.safe_load(Path("params.yaml").read_text())
    for name in ("r2; touch INJECTED", "$(touch INJECTED)", "`touch INJECTED`", "'; touch INJECTED '"):
        values["rounds"] = {"r1": "r0", name: "r1"}
        Path("params.yaml").write_text(yaml.safe_dump(values))
        done = repro()
        assert done.returncode == 255
        assert "Running stage" in done.stdout, name
        assert "ERROR: params.yaml: key 'rounds': expected {'r1': 'r0'" in done.stderr
        assert not list(project.rglob("INJECTED*"))
