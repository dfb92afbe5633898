"""Which Snakemake process last began to run jobs in this folder, so that the lock of a killed one can be recognised.

Snakemake's own lock does not say whose it is.
"""

import os
import socket

import psutil

from auxseg.artifacts.atomic import write_text
from auxseg.engines.plan_file import STATE

FILE = STATE / "auxseg-controller"
_CLOCK = 1.0
"""Seconds by which two readings of a process's start may differ."""


def note_controller() -> None:
    """Note that this process is the controller."""
    write_text(FILE, f"{socket.gethostname()} {os.getpid()} {psutil.Process().create_time()}\n")


def is_killed() -> bool:
    """Tell whether the noted process was on this machine and is gone; False if another machine or nothing is noted."""
    try:
        host, pid, started = FILE.read_text("utf-8").split()
        number, start = int(pid), float(started)
    except (OSError, ValueError):
        return False
    if host != socket.gethostname():
        return False
    try:
        process = psutil.Process(number)
        # a zombie no longer works; and a number may have been given to another process
        return process.status() == psutil.STATUS_ZOMBIE or abs(process.create_time() - start) > _CLOCK
    except psutil.NoSuchProcess:
        return True
