"""A real Slurm for the tests that ask for it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("slurm.sh")


@pytest.fixture(scope="session")
def slurm():
    """Have a Slurm or skip; with AUXSEG_SLURM=required fail instead of skipping."""
    check = subprocess.run([SCRIPT, "check"], capture_output=True, text=True, check=False)
    if check.returncode:
        end = pytest.fail if os.environ.get("AUXSEG_SLURM") == "required" else pytest.skip
        end(f"no Slurm on this machine: {check.stdout.strip()}")
    runs = shutil.which("sinfo") and subprocess.run(["sinfo"], capture_output=True, check=False).returncode == 0
    subprocess.run([SCRIPT, "install"], check=True)
    subprocess.run([SCRIPT, "start"], check=True)
    yield
    if not runs:  # one that was started by hand stays
        subprocess.run([SCRIPT, "stop"], check=True)
