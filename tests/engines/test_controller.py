"""A Snakemake that was killed leaves its lock; the next one removes it, but not that of one that lives."""

import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
from stub import ran, replace, snakemake

from auxseg.engines.controller import FILE, is_killed, note_controller
from auxseg.errors import DataError


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FILE.parent.mkdir()


def note(host: str, pid: int, started: float) -> None:
    FILE.write_text(f"{host} {pid} {started}\n")


def test_a_living_process_is_not_killed_and_a_dead_one_is(here):
    assert not is_killed()  # nothing is noted
    note_controller()
    assert not is_killed()
    process = subprocess.Popen([sys.executable, "-c", ""])
    started = psutil.Process(process.pid).create_time()
    process.wait()
    note(socket.gethostname(), process.pid, started)
    assert is_killed()


def test_another_machines_process_may_live_and_a_number_is_given_twice(here):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    note("elsewhere", dead.pid, 0.0)
    assert not is_killed()
    note(socket.gethostname(), os.getpid(), psutil.Process().create_time() - 3600)
    assert is_killed()
    FILE.write_text("cut off")
    assert not is_killed()


def test_of_two_that_start_together_the_second_is_rejected(here):
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as first:
        note(socket.gethostname(), first.pid, psutil.Process(first.pid).create_time())
        with pytest.raises(DataError, match=f"another Snakemake is running here .process {first.pid}"):
            note_controller()
        first.kill()
        first.wait()
        note_controller()


def test_after_kill_9_the_same_command_goes_on(project):
    replace(project, "params.yaml", "later_rate: 1.0", "later_rate: 0.5")
    wait = "os.environ.get('SLOW') and os.execlp('sleep', 'sleep', '600')"
    replace(project, "workflow/stages/train.py", "output = ", f"{wait}\noutput = ")
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    settings = {**os.environ, "SLOW": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    first = subprocess.Popen(
        command, cwd=project, env=settings, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        beat = project / ".snakemake/dvc-jobs/train/r1"
        until = time.monotonic() + 240
        while not beat.exists() and first.poll() is None and time.monotonic() < until:
            time.sleep(0.2)
        assert beat.exists()
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()
    assert list((project / ".snakemake/locks").iterdir())
    assert not [line for line in snakemake(project, "-n").stderr.splitlines() if "removed" in line]

    second = snakemake(project, "--cores", "2")

    assert "an earlier Snakemake was killed here; its lock is removed" in second.stderr
    assert "train@r1" in ran(project)
    assert not list((project / ".snakemake/locks").glob("*"))
