"""Commands that start the processes of a training, and what becomes of their exit codes."""

import ast
import os
import signal
import subprocess
import sys

import pytest

from auxseg.errors import ParamsError, ResourceError
from auxseg.params.classify import ClassifyParams
from auxseg.params.train import TrainParams
from auxseg.training.launch import launch, srun_command

SCRIPT = """\
import os, sys
words = ["process", os.environ["RANK"], "of", os.environ["WORLD_SIZE"], *sys.argv[1:], os.environ["OMP_NUM_THREADS"]]
os.write(1, (" ".join(words) + "\\n").encode())  # a line at once: processes write beside each other
sys.exit(int(sys.argv[-1]) if os.environ["RANK"] == "1" else 0)
"""
# in a process of its own, since torchrun takes the signals of the one that it runs in
PROGRAM = """\
import sys
from auxseg.params.train import TrainParams
from auxseg.training.launch import agent, launch
sys.argv = ["script.py", "--code", "0"]
assert launch(TrainParams(devices=2), 3)
print({code: agent(["--standalone", "--nproc-per-node=2", "script.py", str(code)]) for code in (2, 143, 7)})
"""


def test_torchrun_on_one_machine(tmp_path):
    """Each process gets the command line and its threads; how the one that fails ends is how the stage ends."""
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *lines, codes = done.stdout.splitlines()
    assert {f"process {rank} of 2 --code 0 3" for rank in (0, 1)} <= set(lines)
    assert ast.literal_eval(codes) == {2: 2, 143: 143, 7: 1}


def test_one_process_starts_none(monkeypatch):
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    assert launch(TrainParams(), 2) is False


def test_a_process_of_torchrun_starts_none(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    monkeypatch.setenv("RANK", "0")
    assert launch(TrainParams(batch_size=8, devices=4, nodes=2), 2) is False


STAGE = ["--nproc-per-node=4", "workflow/stages/train.py", "--round", "r1"]


def test_srun_starts_one_torchrun_a_node():
    command = srun_command("77", 2, "8", "node1", 29500, STAGE)
    split = command.index(sys.executable)
    layout = ["--nodes=2", "--ntasks=2", "--ntasks-per-node=1", "--cpus-per-task=8", "--cpu-bind=none"]
    assert command[:split] == ["srun", *layout, "--overlap", "--wait=0"]
    assert command[split + 1 :] == [
        "-m",
        "auxseg.training.launch",
        "--nnodes=2",
        "--rdzv-backend=c10d",
        "--rdzv-endpoint=node1:29500",
        "--rdzv-id=77",
        *STAGE,
    ]


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A squeue that knows job 77 of 2 nodes, an srun that notes its arguments and exits with 143."""
    for name, script in {
        "squeue": '[ "$2" = --jobs=77 ] && echo 2',
        "srun": 'env > environment; echo "$@" > called; exit 143',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    for variable in ("OMP_NUM_THREADS", "TORCH_CPP_LOG_LEVEL"):  # launch sets them
        monkeypatch.setenv(variable, "1")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setattr(sys, "argv", STAGE[1:])
    handler = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, handler)


def test_several_nodes(slurm, monkeypatch):
    for variable, value in {"SLURM_JOB_ID": "77", "SLURM_NNODES": "1", "SRUN_CPUS_PER_TASK": "4"}.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit) as ended:
        launch(TrainParams(batch_size=8, devices=4, nodes=2), 3)
    assert ended.value.code == 143
    called = (slurm / "called").read_text().split()
    assert called[:2] == ["--nodes=2", "--ntasks=2"]
    assert called[-len(STAGE) :] == STAGE
    environment = (slurm / "environment").read_text().splitlines()
    assert [line for line in environment if line.startswith(("SLURM_", "SRUN_"))] == ["SLURM_JOB_ID=77"]
    assert "OMP_NUM_THREADS=3" in environment


@pytest.mark.parametrize(
    ("slurms", "snakemakes", "asked"),
    [("4", "16", ["--cpus-per-task=4"]), ("", "16", ["--cpus-per-task=16"]), ("", "-1", []), ("", "", [])],
)
def test_a_node_gets_the_cpus_of_the_job(slurm, monkeypatch, slurms, snakemakes, asked):
    variables = {"SLURM_JOB_ID": "77", "SLURM_CPUS_PER_TASK": slurms, "LOKY_MAX_CPU_COUNT": snakemakes}
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit):
        launch(TrainParams(batch_size=8, devices=4, nodes=2), 1)
    called = (slurm / "called").read_text().split()
    assert [argument for argument in called if argument.startswith("--cpus-per-task")] == asked


def test_several_nodes_need_a_job_of_as_many(slurm, monkeypatch):
    with pytest.raises(ParamsError, match=r"train\.nodes: 2 needs a Slurm job of 2 nodes, this is none"):
        launch(TrainParams(nodes=2), 1)
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    with pytest.raises(ParamsError, match=r"classify\.nodes: 3 needs a Slurm job of 3 nodes, this is one of 2"):
        launch(ClassifyParams(batch_size=6, nodes=3), 1)
    assert not (slurm / "called").exists()


@pytest.mark.parametrize(
    ("squeue", "said"),
    [
        ("echo 'slurm_load_jobs error: Socket timed out' >&2; exit 1", "Socket timed out"),
        ("echo N/A", "N/A"),
        ("exit 0", "exit code 0"),
    ],
)
def test_a_controller_that_does_not_answer_is_one_line(slurm, monkeypatch, squeue, said):
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    (slurm / "squeue").write_text(f"#!/bin/sh\n{squeue}\n")
    with pytest.raises(ResourceError, match=rf"squeue .*--jobs=77.* does not tell the nodes .*{said}.*run the stage"):
        launch(TrainParams(batch_size=8, devices=4, nodes=2), 1)
