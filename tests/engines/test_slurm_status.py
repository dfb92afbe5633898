"""workflow/profiles/slurm-generic against a made-up sbatch, squeue and sacct."""

import os
import subprocess
from pathlib import Path

import pytest
from stub import replace, snakemake

STATUS = Path(__file__).resolve().parents[2] / "workflow/profiles/slurm-generic/status.sh"
AWAY = "echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1"
FORGOTTEN = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"


@pytest.mark.parametrize(
    ("squeue", "sacct", "answer"),
    [
        ("echo RUNNING", "exit 1", "running"),
        ("echo PREEMPTED", "exit 1", "running"),
        ("echo COMPLETED", "exit 1", "success"),
        ("echo OUT_OF_MEMORY", "exit 1", "failed"),
        (AWAY, "exit 1", "running"),  # says nothing about the job, which a second one must not join
        (FORGOTTEN, "echo COMPLETED", "success"),
        (FORGOTTEN, "echo 'CANCELLED by 0'", "failed"),
        (FORGOTTEN, "echo PREEMPTED", "failed"),  # where PreemptMode is CANCEL
        (FORGOTTEN, "exit 1", "failed"),  # no accounting, and Slurm forgot it
        ("true", "echo FAILED", "failed"),
    ],
)
def test_states_in_snakemakes_words(tmp_path, squeue, sacct, answer):
    for name, body in {"squeue": squeue, "sacct": sacct}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([STATUS, "77"], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{answer}\n"


SBATCH = """\
echo "$@" >> submitted
for script; do :; done
"$script" > printed 2>&1 && echo COMPLETED > state || echo FAILED > state
echo 77
"""


@pytest.mark.parametrize(("told", "train"), [(None, "cuda"), ("cpu", "cpu")])
def test_a_job_with_a_gpu_computes_on_it_unless_told_otherwise(project, tmp_path, monkeypatch, told, train):
    """Not on the CPU because the driver is too old for torch."""
    for name, body in {"sbatch": SBATCH, "squeue": "cat state"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.delenv("AUXSEG_DEVICE")
    for stage in ("train", "summary"):
        line = "import os, pathlib, sys\n"
        note = f'open("logs/{stage}-device.txt", "w").write(os.environ.get("AUXSEG_DEVICE", "any"))\n'
        replace(project, f"workflow/stages/{stage}.py", line, line + note)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}", **({"AUXSEG_DEVICE": told} if told else {})}
    profile = ("--workflow-profile", "workflow/profiles/slurm-generic")
    snakemake(project, *profile, "--seconds-between-status-checks", "1", environment=environment)
    devices = [(project / f"logs/{stage}-device.txt").read_text() for stage in ("train", "summary")]
    assert devices == [train, told or "any"]
    submitted = (project / "submitted").read_text().splitlines()
    assert [("--gpus=1 --nodes=1" in line, "--gpus=0 --nodes=1" in line) for line in submitted] == [
        (True, False),
        (False, True),
    ]
