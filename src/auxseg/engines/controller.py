"""Which Snakemake process last began to run jobs in this folder, so that the lock of a killed one can be recognised.

Snakemake's own lock does not say whose it is.
"""

import os
import socket

import psutil

from auxseg.artifacts.atomic import write_text
from auxseg.engines.plan_file import STATE
from auxseg.errors import DataError

FILE = STATE / "auxseg-controller"
_CLOCK = 1.0
"""Seconds by which two readings of a process's start may differ."""


def note_controller() -> None:
    """Note that this process is the controller, before it plans: Snakemake locks the folder only after that.

    Raises:
        DataError: another controller is alive on this machine.
    """
    if (other := _noted()) and other.pid != os.getpid():
        raise DataError(f"another Snakemake is running here (process {other.pid}); wait until it has ended, or stop it")
    write_text(FILE, f"{socket.gethostname()} {os.getpid()} {psutil.Process().create_time()}\n")


def is_killed() -> bool:
    """Tell whether the noted process was on this machine and is gone; False if another machine or nothing is noted."""
    return _note() is not None and _noted() is None


def _noted() -> psutil.Process | None:
    """Return the noted process if it was on this machine and still works."""
    if not (note := _note()):
        return None
    pid, start = note
    try:
        process = psutil.Process(pid)
        # a zombie no longer works; and a number may have been given to another process
        is_gone = process.status() == psutil.STATUS_ZOMBIE or abs(process.create_time() - start) > _CLOCK
    except psutil.NoSuchProcess:
        return None
    return None if is_gone else process


def _note() -> tuple[int, float] | None:
    """Return process number and start of a note made on this machine."""
    try:
        host, pid, started = FILE.read_text("utf-8").split()
        return (int(pid), float(started)) if host == socket.gethostname() else None
    except (OSError, ValueError):
        return None
