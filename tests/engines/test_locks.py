"""Locks: many writers at once lose nothing; what a killed process left is cleared, and a living one's is not."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from auxseg.engines import heartbeat
from auxseg.engines.dvc_internals import LIFETIME, Repo
from auxseg.engines.locks import clear_dead_locks
from auxseg.engines.plan import make_plan
from auxseg.engines.plan_file import Node, save_plan
from auxseg.engines.recovery import repair_project
from auxseg.errors import DataError

ROOT = Path(__file__).resolve().parents[2]
SIZE = 256 << 20
"""Bytes of an output: a hole, or a link to one. DVC hashes it for as long as it holds the lock."""


@pytest.fixture(scope="module")
def bench(load_script):
    return load_script("benchmarks/locks.py")


def test_sixteen_shards_at_once_in_one_project(bench, tmp_path):
    outcome = bench.one_project(tmp_path, "once", SIZE)
    assert (outcome.failed, outcome.lost) == (0, 0), (tmp_path / "dvc.log").read_text()


def test_four_clones_at_once_share_a_cache(bench, tmp_path):
    outcome = bench.four_clones(tmp_path, "once", SIZE)
    assert (outcome.failed, outcome.lost) == (0, 0), (tmp_path / "dvc.log").read_text()


@pytest.mark.nightly
@pytest.mark.parametrize("repetition", range(5))
def test_sixteen_shards_at_once_in_one_project_and_in_four_clones(bench, tmp_path, repetition):
    for case in (bench.one_project, bench.four_clones):
        outcome = case(tmp_path / case.__name__, str(repetition), 4 * SIZE)
        assert (outcome.failed, outcome.lost) == (0, 0), outcome


@pytest.mark.nightly
def test_without_waiting_the_same_load_loses_results(bench, tmp_path):
    # so the lock is really held for longer than the 3 s after which DVC gives up
    assert bench.one_project(tmp_path, "impatient", SIZE, wait=False).failed > 0


@pytest.fixture
def repo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Repo.init(no_scm=True).close()
    Path(".dvc/config").write_text("[core]\n    no_scm = true\n    hardlink_lock = true\n")
    with Repo(".") as repo:
        yield repo


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def holder(pid: int, words: str) -> dict:
    return {"pid": pid, "cmd": f"/somewhere/dvc {words}"}


def test_entries_of_dead_processes_go_and_those_of_living_ones_stay(repo):
    command = [sys.executable, "-c", "import time; time.sleep(60)", "repro", "--single-item", "labels@r0-00"]
    living = subprocess.Popen(command)
    try:
        alive, dead = holder(living.pid, "repro --single-item labels@r0-00"), holder(dead_process(), "repro labels")
        # a number that another process has by now
        reused = holder(os.getpid(), "repro --single-item train@r1")
        entries = {
            "write": {"a": alive, "b": dead, "c": reused},
            "read": {"m": [dead, alive], "n": [dead, reused]},
        }
        Path(repo.tmp_dir, "rwlock").write_text(json.dumps(entries))
        cleared = clear_dead_locks(repo, silence=0.0)
        assert len(cleared) == 2
        assert all("killed" in line for line in cleared)
        left = json.loads(Path(repo.tmp_dir, "rwlock").read_text())
        assert left == {"write": {"a": alive}, "read": {"m": [alive]}}
    finally:
        living.kill()
        living.wait()


def test_a_list_that_was_cut_off_goes(repo):
    path = Path(repo.tmp_dir, "rwlock")
    path.write_text('{"write": {"a": {"pid"')
    assert clear_dead_locks(repo, silence=0.0) == ["rwlock: incomplete, because a process was killed while it wrote"]
    assert not path.exists()
    assert repo.status() == {}


def hold(folder: Path) -> subprocess.Popen:
    """Start a process that takes the project's hard-link lock and keeps it; return once it has it."""
    code = (
        "import time; from auxseg.engines.dvc_internals import open_repo; repo = open_repo();"
        "repo.lock.lock(); print('held', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def test_hard_link_lock_of_a_killed_process_goes_and_that_of_a_living_one_is_waited_for(repo):
    process = hold(Path())
    # in a process of its own, because it waits for as long as the other lives
    code = (
        "from auxseg.engines.dvc_internals import open_repo; from auxseg.engines.locks import clear_dead_locks;"
        "repo = open_repo(); print('begins', flush=True); clear_dead_locks(repo, silence=0.0)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as waiting:
        assert waiting.stdout.readline() == "begins\n"
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=1)
        waiting.kill()
    assert Path(repo.tmp_dir, "lock").exists()

    process.send_signal(signal.SIGKILL)
    process.wait()
    assert clear_dead_locks(repo, silence=0.0) == ["lock: the lock of a killed process"]
    assert not list(Path(repo.tmp_dir).glob("*lock"))


def test_a_job_that_is_terminated_while_dvc_holds_the_lock_gives_it_back(repo):
    Path("in.txt").write_text("images")
    # hashing 64 GB of holes takes minutes
    Path("big.py").write_text("open('out.bin', 'wb').truncate(64 << 30)")
    Path("dvc.yaml").write_text(
        "stages: {big: {cmd: python big.py, deps: [in.txt], outs: [{out.bin: {cache: false}}]}}"
    )
    save_plan({"big": Node(deps=[], stale=True)})
    Path(".dvc/config").write_text("[core]\n    no_scm = true\n    hardlink_lock = true\n    analytics = false\n")
    job = subprocess.Popen([sys.executable, "-m", "auxseg.engines.job", "big"])
    while not (Path("out.bin").exists() and Path(repo.tmp_dir, "lock").exists()):
        assert job.poll() is None
        time.sleep(0.1)
    job.terminate()
    assert job.wait() == 128 + signal.SIGTERM
    assert not Path(repo.tmp_dir, "lock").exists()
    assert not list(Path(repo.tmp_dir).glob("*.lock"))  # its claim
    assert json.loads(Path(repo.tmp_dir, "rwlock").read_text()) == {}


def test_a_young_lock_may_be_another_machines(repo):
    hold(Path()).kill()
    made = time.time() + LIFETIME  # as DVC notes it
    os.utime(Path(repo.tmp_dir, "lock"), (made, made))
    started = time.time()
    assert clear_dead_locks(repo, silence=3.0) == ["lock: the lock of a killed process"]
    assert time.time() - started > 1.0


def test_locks_by_flock_are_no_concern(repo):
    repo.config["core"]["hardlink_lock"] = False
    lock = Path(repo.tmp_dir, "lock")
    lock.touch()
    assert clear_dead_locks(repo, silence=0.0) == []
    assert lock.exists()


def test_heartbeats_of_jobs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with heartbeat.heartbeat("labels@r0-00"):
        heartbeat.write_text(heartbeat.FOLDER / "labels/.tmp-9-r0-01", "")  # half a sign
        assert heartbeat.running_jobs() == [f"labels r0-00 on {socket.gethostname()}, process {os.getpid()}"]
    assert heartbeat.running_jobs() == []

    left = heartbeat.FOLDER / "train/r1"
    left.parent.mkdir()
    left.write_text(f"{socket.gethostname()} {os.getppid()}\n")  # a scheduler started the instance twice
    looks = []
    monkeypatch.setattr(
        heartbeat.time, "sleep", lambda seconds: looks.append(seconds) or (len(looks) == 3 and left.unlink())
    )
    with heartbeat.heartbeat("train@r1"):
        assert len(looks) == 3

    left.write_text(f"{socket.gethostname()} {dead_process()}\n")  # killed on this machine
    assert heartbeat.running_jobs() == []
    assert not left.exists()

    left.write_text("another-node 17\n")
    assert heartbeat.running_jobs() == ["train r1 on another-node, process 17"]
    os.utime(left, (time.time() - heartbeat.SILENCE - 60,) * 2)
    assert heartbeat.running_jobs() == []


def test_a_heartbeat_outlives_a_disk_that_is_away(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(heartbeat, "BEAT", 0.01)
    path, beats = heartbeat.FOLDER / "train/r1", []

    def utime(of: Path, *_) -> None:
        beats.append(of)
        if len(beats) == 1:
            raise OSError(errno.ESTALE, "Stale file handle")
        of.stat()

    monkeypatch.setattr(heartbeat.os, "utime", utime)
    with heartbeat.heartbeat("train@r1"):
        path.unlink()  # as another machine does after five minutes of silence
        deadline = time.monotonic() + 60
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert path.exists()
    assert not path.exists() and len(beats) > 1


def test_a_heartbeat_that_cannot_be_read_is_of_a_living_job(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = heartbeat.FOLDER / "train/r1"
    heartbeat.write_text(path, "another-node 17\n")

    def read_text(*_):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", read_text)
        assert heartbeat.running_jobs() == ["train r1 somewhere (Input/output error)"]
        assert path.exists()


def test_a_plan_is_rejected_while_jobs_of_an_earlier_run_are_at_work(project, monkeypatch):
    monkeypatch.chdir(project)
    (heartbeat.FOLDER / "train").mkdir(parents=True, exist_ok=True)
    (heartbeat.FOLDER / "train/r1").write_text("another-node 17\n")
    with pytest.raises(DataError, match=r"1 job of another run .* train r1 on another-node"):
        make_plan(dry=False)
    assert make_plan(dry=True)["train@r1"]["stale"] is False


def test_a_plan_is_rejected_while_auxseg_run_is_at_work_on_another_machine(project, monkeypatch):
    """It would clear that one's locks."""
    monkeypatch.chdir(project)
    other = heartbeat.RUNS / "run/another-node-17"
    heartbeat.write_text(other, "another-node 17\n")
    with pytest.raises(DataError, match=r"^1 job of another run .* run another-node-17 on another-node"):
        make_plan(dry=False)
    other.unlink()
    with heartbeat.run_heartbeat():  # on this machine, locks of the living are known
        make_plan(dry=False)


def test_the_locks_of_auxseg_run_on_another_machine_stay(project, monkeypatch):
    """A process id says nothing there, so its entries look like a killed process's."""
    monkeypatch.chdir(project)
    entry = {"pid": dead_process(), "cmd": "/bin/auxseg run"}
    rwlock = Path(".dvc/tmp/rwlock")
    rwlock.write_text(json.dumps({"read": {}, "write": {"data/models/r1.safetensors": entry}}))
    other = heartbeat.RUNS / "run/another-node-17"
    heartbeat.write_text(other, "another-node 17\n")
    assert repair_project() == [] and "data/models" in rwlock.read_text()
    with heartbeat.run_heartbeat():  # that of this machine protects nothing: its processes are known
        other.unlink()
        assert heartbeat.running_elsewhere() == []
        assert "killed" in repair_project()[0]
    assert not list(other.parent.iterdir())
