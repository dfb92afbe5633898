"""What a killed process started ends too."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import default_params
import psutil
import pytest

POOL = """
import time
from auxseg import parallel
parallel.available_cpus = lambda: 2
parallel.{call}
"""
STAGE = """
import os, time
from pathlib import Path
from auxseg.pipeline.stage import run

def main(stage):
    Path(f"started-{os.getpid()}").touch()
    time.sleep(600)

run("classify", main)
"""
STARTER = "import subprocess, sys; subprocess.run([sys.executable, 'stage.py'])"
TORCHRUN = "from auxseg.training.launch import agent; agent(['--standalone', '--nproc-per-node=2', 'stage.py'])"


@pytest.fixture(autouse=True)
def _project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUXSEG_LOG", "ERROR")
    Path("params.yaml").write_text(default_params.TEXT)
    Path("dvc.yaml").write_text("stages: {classify: {cmd: x}}\n")
    Path("stage.py").write_text(STAGE)


def start(code: str, children: int, wait_for: str = "", **environment: str) -> tuple[subprocess.Popen, list]:
    """Run code in a new process; return it and its descendants once there are so many, and so many files."""
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **environment})
    while True:
        assert process.poll() is None
        found = psutil.Process(process.pid).children(recursive=True)
        if len(found) >= children and (not wait_for or len(list(Path().glob(wait_for))) >= children):
            return process, found
        time.sleep(0.05)


@pytest.mark.parametrize(
    "call", ["map_processes(time.sleep, [600, 600], 'x')", "background_processes(time.sleep, [600] * 9)"]
)
def test_worker_processes_of_a_killed_stage_end(call):
    code = POOL.format(call=call) if call.startswith("map") else POOL.format(call=f"track; list(parallel.{call})")
    process, workers = start(code, 3)  # one is the standard library's tracker of resources
    time.sleep(1)
    process.kill()
    process.wait()
    assert psutil.wait_procs(workers, timeout=20)[1] == []


def test_a_stage_whose_dvc_is_killed_ends(monkeypatch):
    process, stages = start(STARTER, 1, "started-*", DVC_STAGE="classify")
    process.kill()
    process.wait()
    assert psutil.wait_procs(stages, timeout=20)[1] == []


def test_a_stage_that_a_person_started_goes_on():
    process, (stage,) = start(STARTER, 1, "started-*")
    process.kill()
    process.wait()
    time.sleep(2.5)
    assert stage.is_running() and stage.status() != psutil.STATUS_ZOMBIE
    stage.kill()


def test_processes_of_a_killed_torchrun_end():
    process, ranks = start(TORCHRUN, 2, "started-*")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert psutil.wait_procs(ranks, timeout=30)[1] == []
