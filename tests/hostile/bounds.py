"""What every reader of a hostile file keeps to: time, memory, no program, and one line if it does not read."""

import contextlib
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from auxseg.errors import CONTROLS, LINE, AuxsegError

MEGABYTES = 700
"""More than the libraries that a reader may import, and less than any bomb."""
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
HANGS = 120
"""Seconds after which a reader is taken to wait for ever; a busy machine may need some for a hundredth of a second."""


class _Late(BaseException):
    """No `except Exception` of a reader takes it for damage."""


@contextlib.contextmanager
def bounded(seconds: int) -> Iterator[None]:
    """Run a block, which must need less processor time, less than MEGABYTES more memory, and start no program."""

    def late(*_: Any) -> None:
        raise _Late(f"no answer within {seconds} s of the processor, or {HANGS} s")

    def started(*command: Any, **_: Any) -> None:
        raise AssertionError(f"a program was started: {command}")

    before, started_at = _memory(), time.process_time()
    former = {number: signal.signal(number, late) for number in (signal.SIGPROF, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, HANGS)
    try:
        with mock.patch.object(subprocess, "Popen", started):
            yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in former.items():
            signal.signal(number, handler)
    assert time.process_time() - started_at < seconds
    grown = _peak() - before
    assert grown < MEGABYTES, f"{grown:.0f} MB"


def _memory() -> float:
    """Return the memory of this process in MB, and let its peak begin anew: that of an earlier test would hide more."""
    if not STATUS.exists():
        return _peak()
    CLEAR.write_text("5")
    return _status("VmRSS")


def _peak() -> float:
    """Return the most memory since `_memory`, in MB; on a system without /proc, since the process started."""
    if not STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return _status("VmHWM")


def _status(key: str) -> float:
    return int(re.search(rf"{key}:\s+(\d+) kB", STATUS.read_text())[1]) / 1024


def read_or_one_line(read: Callable[[Path], Any], path: Path, seconds: int) -> str:
    """Give a file to a reader; return its error message, or an empty text if it reads. Other exceptions are raised."""
    with bounded(seconds):
        try:
            read(path)
        except AuxsegError as error:
            line = str(error)
        else:
            return ""
    assert line and not CONTROLS.search(line), line
    assert len(line) <= LINE
    return line
