"""What jobs are given: dvc.yaml's meta, split training, growing attempts; and GPUs of one machine through Snakemake."""

from pathlib import Path

import pytest
import stub
import yaml

from auxseg.engines.resources import growing, stage_resources
from auxseg.errors import ParamsError

DVC_YAML = """\
stages:
  labels: {matrix: {}, cmd: x, meta: {cpus: 2, mem_mb: 4000, runtime: 240}}
  train: {foreach: "${rounds}", do: {cmd: x, meta: {gpu: 1, cpus: 4, mem_mb: 24000, runtime: 1440}}}
  plain: {cmd: x}
"""


def resources(folder: Path, **train) -> dict:
    (folder / "dvc.yaml").write_text(DVC_YAML)
    dag = {"rounds": {"r1": "r0"}, "label_rounds": ["r0", "r1"], "shards": ["00", "01"]}
    (folder / "params.yaml").write_text(yaml.safe_dump({**dag, "train": train}))
    return stage_resources(folder / "dvc.yaml", folder / "params.yaml")


def test_resources_are_those_of_meta(tmp_path):
    assert resources(tmp_path) == {
        "labels": {"cpus_per_task": 2, "mem_mb": 4000, "runtime": 240},
        "train": {"cpus_per_task": 4, "mem_mb": 24000, "runtime": 1440, "gpu": 1, "tasks_per_gpu": 0, "nodes": 1},
        "plain": {"cpus_per_task": 1},
    }


def test_devices_multiply_what_a_node_gives_and_nodes_only_gpus(tmp_path):
    train = resources(tmp_path, devices=4)["train"]
    assert (train["gpu"], train["cpus_per_task"], train["mem_mb"], train["runtime"]) == (4, 16, 96000, 1440)
    assert train["nodes"] == 1 and "tasks" not in train
    train = resources(tmp_path, devices=4, nodes=2)["train"]
    assert (train["gpu"], train["cpus_per_task"], train["mem_mb"], train["runtime"]) == (8, 16, 96000, 1440)
    assert (train["nodes"], train["tasks"]) == (2, 2)
    assert train["slurm_extra"] == "--ntasks-per-node=1 --gpus-per-node=4"
    assert resources(tmp_path, devices=4, nodes=2)["labels"] == resources(tmp_path)["labels"]


def test_wrong_params_are_rejected(tmp_path):
    with pytest.raises(ParamsError, match="unknown key 'trian'"):
        (tmp_path / "params.yaml").write_text("trian: {}\n")
        (tmp_path / "dvc.yaml").write_text(DVC_YAML)
        stage_resources(tmp_path / "dvc.yaml", tmp_path / "params.yaml")


@pytest.mark.parametrize("wrong", [None, "2", [2]])
def test_a_wrong_number_of_devices_is_left_to_the_check_of_params(tmp_path, wrong):
    assert resources(tmp_path, devices=wrong, nodes=wrong) == resources(tmp_path)


def test_every_attempt_gets_more():
    assert [growing(4000)(None, attempt) for attempt in (1, 2, 3)] == [4000, 8000, 12000]


def test_jobs_beside_each_other_on_one_machine_see_a_gpu_each(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    monkeypatch.setenv("AUXSEG_DEVICE", "cuda")
    folder = stub.make_project(tmp_path / "project")
    stub.replace(folder, "dvc.yaml", "meta: {cpus: 2, mem_mb: 100", "meta: {gpu: 1, cpus: 1, mem_mb: 100")
    held = 'import time\nname = os.environ["CUDA_VISIBLE_DEVICES"]\nmark = pathlib.Path("logs", "gpu" + name)\n'
    held += 'mark.touch(exist_ok=False)\ntime.sleep(1)\nmark.unlink()\nopen("logs/gpus.txt", "a").write(name + "\\n")\n'
    line = "import os, pathlib, sys\n"
    stub.replace(folder, "workflow/stages/labels.py", line, line + held)
    stub.snakemake(
        folder,
        "--workflow-profile",
        "workflow/profiles/local",
        "--resources",
        "gpu=2",
        "mem_mb=32000",
        "--until",
        "labels",
    )
    used = (folder / "logs/gpus.txt").read_text().split()
    assert len(used) == 4
    assert set(used) == {"4", "7"}
