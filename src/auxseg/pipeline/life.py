"""Signs of life of running jobs, which the controller reads on another machine, where no process number tells.

A job touches its file every half minute and removes it at its end. A killed job leaves it behind: after five minutes
of silence it counts as dead, on its own machine at once.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil

from auxseg.artifacts.atomic import write_text
from auxseg.pipeline.plan_file import STATE, split

FOLDER = STATE / "dvc-jobs"
BEAT = 30.0
"""Seconds between two signs of life."""
SILENCE = 300.0
"""Seconds after which a silent job is dead: ten beats, since NFS may show a time of change a minute late."""


@contextlib.contextmanager
def sign_of_life(address: str) -> Iterator[None]:
    """Give signs of life of an instance's job while the block runs."""
    path = FOLDER / Path(*split(address))
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


def living_jobs(silence: float = SILENCE) -> list[str]:
    """Return a description of every job that gave a sign of life; forget those that are dead."""
    if not FOLDER.is_dir():
        return []
    now = _now()
    living = []
    for path in sorted(FOLDER.glob("*/*")):
        try:
            host, pid = path.read_text().split()
            age = now - path.stat().st_mtime
        except (FileNotFoundError, ValueError):  # it ends, or begins, just now
            continue
        killed_here = host == socket.gethostname() and not psutil.pid_exists(int(pid))
        if age < silence and not killed_here:
            living.append(f"{path.parent.name} {path.name} on {host}, process {pid}")
        else:
            path.unlink(missing_ok=True)
    return living


def _beat(path: Path, ended: threading.Event) -> None:
    while not ended.wait(BEAT):
        with contextlib.suppress(FileNotFoundError):
            os.utime(path)


def _now() -> float:
    """Return the time of the file server's clock, which may differ from this machine's."""
    probe = FOLDER / ".now"
    probe.touch()
    return probe.stat().st_mtime
