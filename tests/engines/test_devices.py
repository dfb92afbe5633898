"""GPUs assigned to jobs: never one to two jobs, all or none, and released however a job ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from auxseg.engines import devices
from auxseg.errors import ResourceError

JOB = """\
import os, pathlib, sys, time
for name in os.environ["CUDA_VISIBLE_DEVICES"].split(","):
    mark = pathlib.Path(sys.argv[1], name)
    mark.touch(exist_ok=False)  # fails if another job has this device now
time.sleep(float(sys.argv[2]))
for name in os.environ["CUDA_VISIBLE_DEVICES"].split(","):
    pathlib.Path(sys.argv[1], name).unlink()
print(os.environ["CUDA_VISIBLE_DEVICES"])
"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start jobs on a machine with GPUs 4 and 7, or as many as `visible` says; kill what still runs at the end."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "in-use").mkdir()
    jobs = []

    def run(count: int, seconds: float, visible: str = "4,7") -> subprocess.Popen:
        command = [sys.executable, "-m", "auxseg.engines.devices", str(count)]
        command += [sys.executable, "-c", JOB, str(tmp_path / "in-use"), str(seconds)]
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": visible, "AUXSEG_DEVICE": "cuda"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        jobs.append(subprocess.Popen(command, env=environment, **pipes))
        return jobs[-1]

    yield run
    for job in jobs:
        job.kill()
        job.wait()


def wait_for(path: Path, job: subprocess.Popen) -> None:
    while not path.exists():
        assert job.poll() is None
        time.sleep(0.02)


def test_jobs_beside_each_other_never_share_a_device(start):
    jobs = [start(1, 0.2) for _ in range(5)]
    answers = [job.communicate()[0].strip() for job in jobs]
    assert [job.returncode for job in jobs] == [0] * 5
    assert set(answers) == {"4", "7"}


def test_a_job_may_take_several_and_jobs_that_want_more_than_is_free_do_not_block_each_other(start):
    jobs = [start(2, 0.2, "0,1,2") for _ in range(3)]
    assert {job.wait() for job in jobs} == {0}
    assert all(len(job.stdout.read().strip().split(",")) == 2 for job in jobs)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_dead_job_gives_its_device_back(start, tmp_path, how):
    first = start(1, 60, "4")
    wait_for(tmp_path / "in-use/4", first)
    second = start(1, 0, "4")
    assert second.stderr.readline().startswith("waiting for 1 of GPUs 4; ")
    assert (tmp_path / f"auxseg-devices-{os.getuid()}/4").read_text() == f"{first.pid}\n"
    (tmp_path / "in-use/4").unlink()
    first.send_signal(how)
    assert second.wait(timeout=30) == 0


def test_more_than_the_machine_has_is_one_line(start, tmp_path):
    with pytest.raises(ResourceError, match="asks for 3 GPUs and this machine has 2; lower gpu"):
        devices.take(3, ["0", "1"], tmp_path / "slots")
    assert start(3, 0).wait() == 1


def test_without_a_gpu_the_command_just_runs(start, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    hidden = [sys.executable, "-m", "auxseg.engines.devices", "1", "sh", "-c", "echo ${CUDA_VISIBLE_DEVICES-unset}"]
    answer = subprocess.run(
        hidden, env={**os.environ, "CUDA_VISIBLE_DEVICES": ""}, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "\n"  # the user hid them all


@pytest.mark.parametrize(("told", "left"), [("cuda:1", "4 cuda"), ("cuda", "4 cuda"), ("cpu", "4,7 cpu")])
def test_a_chosen_device_is_one_that_the_command_has(monkeypatch, tmp_path, told, left):
    """It sees only the GPU that it got, which is its first one; on the CPU it waits for none."""
    monkeypatch.setattr(devices, "slot_folder", lambda: tmp_path / "slots")
    monkeypatch.setattr(os, "execvp", lambda *_: None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    monkeypatch.setenv("AUXSEG_DEVICE", told)
    devices.main(1, ["true"])
    assert f"{os.environ['CUDA_VISIBLE_DEVICES']} {os.environ['AUXSEG_DEVICE']}" == left


def test_devices_are_those_that_the_environment_leaves(monkeypatch):
    for visible in ("-1", "", "3,-1,5"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert devices.machine_devices() == ["3"][: visible.count("3")]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-8a,5")
    assert devices.machine_devices() == ["3", "GPU-8a", "5"]
    monkeypatch.setattr(Path, "glob", lambda self, pattern: [Path("/dev/nvidia10"), Path("/dev/nvidia2")])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert devices.machine_devices() == ["0", "1"]  # CUDA's numbers, of those that this container was given


def test_allocations_of_slurm_share_no_slots(monkeypatch):
    """Confined to its own GPUs, each counts them from 0."""
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    alone = devices.slot_folder()
    folders = []
    for number in ("7", "8"):
        monkeypatch.setenv("SLURM_JOB_ID", number)
        folders.append(devices.slot_folder())
    assert len({alone, *folders}) == 3
