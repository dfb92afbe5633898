"""Heartbeats of running jobs: how the controller knows, from another machine, which jobs are alive.

A job touches its file every half minute and removes it at its end. A killed job leaves it behind: after five minutes
of silence it counts as dead, on its own machine at once.
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
from auxseg.engines.plan_file import STATE, split

FOLDER = STATE / "dvc-jobs"
BEAT = 30.0
"""Seconds between two heartbeats."""
SILENCE = 300.0
"""Seconds after which a silent job is dead: ten beats, since NFS may show a time of change a minute late."""

SECONDS_BETWEEN_LOOKS = 2.0


@contextlib.contextmanager
def heartbeat(address: str) -> Iterator[None]:
    """Keep the heartbeat of an instance's job going while the block runs.

    If a scheduler started the instance a second time while the first job is at work, this one waits: two would write,
    and remove, the same outputs.
    """
    path = FOLDER / Path(*split(address))
    _wait_for(path, address)
    write_text(path, f"{socket.gethostname()} {os.getpid()}\n")
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(path, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        path.unlink(missing_ok=True)


def running_jobs(silence: float = SILENCE) -> list[str]:
    """Return a description of every job with a heartbeat; forget those that are dead."""
    if not FOLDER.is_dir():
        return []
    now = _now()
    running = []
    for path in finished(FOLDER, "*/*"):
        owner = _owner(path, now, silence)
        if owner:
            running.append(f"{path.parent.name} {path.name} {owner}")
        else:
            path.unlink(missing_ok=True)
    return running


def _owner(path: Path, now: float, silence: float) -> str:
    """Return where the job of a file runs, or nothing if it is dead or there is none."""
    try:
        host, pid = path.read_text("utf-8").split()
        age = now - path.stat().st_mtime
    except (FileNotFoundError, ValueError):  # it ended just now, or its machine did while it wrote
        return ""
    killed_here = host == socket.gethostname() and not psutil.pid_exists(int(pid))
    return f"on {host}, process {pid}" if age < silence and not killed_here else ""


def _wait_for(path: Path, address: str) -> None:
    waited = False
    while path.exists() and (owner := _owner(path, _now(), SILENCE)):
        if not waited:
            print(f"'{address}' already runs {owner}; waiting for it to end", file=sys.stderr, flush=True)
        waited = True
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _beat(path: Path, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        with contextlib.suppress(FileNotFoundError):
            os.utime(path)


def _now() -> float:
    """Return the time of the file server's clock, which may differ from this machine's."""
    probe = FOLDER / ".now"
    probe.touch()
    return probe.stat().st_mtime
