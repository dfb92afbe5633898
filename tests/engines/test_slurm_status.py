"""workflow/profiles/slurm-generic/status.sh against a made-up squeue and sacct."""

import os
import subprocess
from pathlib import Path

import pytest

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
