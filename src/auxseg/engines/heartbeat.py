"""Heartbeats of running jobs and of `auxseg run`, by which another machine knows what is alive.

A job touches its file every half minute and removes it when it ends. A killed job leaves the file behind. It counts as
dead after five minutes without a heartbeat, and on its own machine immediately.
"""

import contextlib
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from auxseg.artifacts.atomic import finished, write_text
from auxseg.counts import counted
from auxseg.engines.plan_file import STATE, split
from auxseg.errors import DataError

FOLDER = STATE / "dvc-jobs"
"""Of the jobs of Snakemake."""
RUNS = STATE / "dvc-runs"
"""Of `auxseg run`, whose locks are known by process ids, which mean nothing on another machine."""
BEAT = 30.0
"""Seconds between two heartbeats."""
SILENCE = 300.0
"""Seconds without a heartbeat after which a job counts as dead: ten beats, because NFS may show a change a minute
late."""

SECONDS_BETWEEN_LOOKS = 2.0


@contextlib.contextmanager
def heartbeat(address: str) -> Iterator[None]:
    """Send the heartbeat of an instance's job while the block runs.

    If another job of the same instance is still running, this one waits first, because both would write and remove the
    same outputs.
    """
    path = FOLDER / Path(*split(address))
    _wait_for(path, address)
    with _beating(path):
        yield


@contextlib.contextmanager
def run_heartbeat() -> Iterator[None]:
    """Send the heartbeat of an `auxseg run` while the block runs; other machines then leave its locks alone."""
    with _beating(RUNS / "run" / f"{socket.gethostname()}-{os.getpid()}"):
        yield


@contextlib.contextmanager
def _beating(path: Path) -> Iterator[None]:
    _write(path)
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(path, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        path.unlink(missing_ok=True)


def running_jobs() -> list[str]:
    """Return a description of every job that is alive; remove the files of those that are dead."""
    return _running(FOLDER)


def running_elsewhere() -> list[str]:
    """Return a description of every job and `auxseg run` that is alive on another machine."""
    here = f" on {socket.gethostname()}, "
    return [one for folder in (FOLDER, RUNS) for one in _running(folder) if here not in one]


def reject_running(running: list[str]) -> None:
    """Check that nothing is running, given the descriptions of what is.

    Raises:
        DataError: names the first.
    """
    if running:
        jobs = counted(len(running), "job of another run is", "jobs of another run are")
        raise DataError(
            f"{jobs} still running (first: {running[0]}); wait until none is, or cancel what still runs (a killed job "
            "counts as dead after five minutes)"
        )


def _running(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    now = _now(folder)
    running = []
    for path in finished(folder, "*/*"):
        owner = _owner(path, now)
        if owner:
            running.append(f"{path.parent.name} {path.name} {owner}")
        else:
            path.unlink(missing_ok=True)
    return running


def _owner(path: Path, now: float) -> str:
    """Return where the job of a file runs, or "" if it is dead or there is none."""
    try:
        host, pid = path.read_text("utf-8").split()
        age = now - path.stat().st_mtime
    except (FileNotFoundError, ValueError):  # the job just ended, or its machine died while it wrote
        return ""
    except OSError as error:  # of a network's disk, which says nothing about the job
        return f"somewhere ({error.strerror})"
    killed_here = host == socket.gethostname() and not psutil.pid_exists(int(pid))
    return f"on {host}, process {pid}" if age < SILENCE and not killed_here else ""


def _wait_for(path: Path, address: str) -> None:
    waited = False
    while path.exists() and (owner := _owner(path, _now(FOLDER))):
        if not waited:
            print(f"'{address}' already runs {owner}; waiting for it to end", file=sys.stderr, flush=True)
        waited = True
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _beat(path: Path, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        with contextlib.suppress(OSError):  # a network's disk that is away may be back at the next beat
            try:
                os.utime(path)
            except FileNotFoundError:  # another machine removed it, because no beat came through
                _write(path)


def _write(path: Path) -> None:
    write_text(path, f"{socket.gethostname()} {os.getpid()}\n")


def _now(folder: Path) -> float:
    """Return the time by the file server's clock, which may differ from this machine's."""
    probe = folder / ".now"
    probe.touch()
    return probe.stat().st_mtime
