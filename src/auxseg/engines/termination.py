"""End a process that runs DVC, at SIGTERM or Ctrl-C, so that nothing half-written is left.

A running command gets SIGTERM too; it may save its state, and when it ends, this process ends. Without a command, an
exception makes DVC release its locks. (A killed process would keep hard-link locks forever.) It is not raised while DVC
writes a lock, its run cache or dvc.lock, because DVC writes them in place.
"""

import contextlib
import logging
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

import psutil

from auxseg.engines.dvc_internals import WRITES_IN_PLACE
from auxseg.errors import EXIT_TERMINATED

SECONDS_BETWEEN_TRIES = 0.2


def end_cleanly(*, quiet: bool = False) -> Callable[[], bool]:
    """End this process as above from now on, at SIGTERM and, if `quiet`, at SIGINT.

    Args:
        quiet: keep what DVC says after the signal from being printed.

    Returns:
        A function that waits for the commands that got the signal, and tells whether there was one. Call it before the
        process ends, because a batch system kills what outlives a job, even while it writes a checkpoint.
    """
    told: list[psutil.Process] = []  # all of them, because a shell may end long before the command that it started
    # no threading.Event: the next signal may come while this one sets it, and would wait for its lock for ever
    signalled = False

    def terminate(number: int, frame: FrameType | None) -> None:
        nonlocal signalled
        signalled = True
        if quiet:
            logging.disable(logging.CRITICAL)
        for child in psutil.Process().children(recursive=True):
            if number == signal.SIGALRM and child in told:
                continue
            told.append(child)
            with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
                child.terminate()
        if any(map(_is_at_work, told)) or _would_do_harm(frame):
            # look again, because a command may have ended by itself, and then DVC starts the next one
            signal.setitimer(signal.ITIMER_REAL, SECONDS_BETWEEN_TRIES)
        else:
            sys.exit(EXIT_TERMINATED)

    for number in (signal.SIGTERM, signal.SIGALRM, *((signal.SIGINT,) if quiet else ())):
        signal.signal(number, terminate)

    def wait() -> bool:
        while any(map(_is_at_work, told)):
            time.sleep(SECONDS_BETWEEN_TRIES)
        signal.setitimer(signal.ITIMER_REAL, 0.0)  # when Python exits, nobody handles it any more
        return signalled

    return wait


def _is_at_work(process: psutil.Process) -> bool:
    try:
        # in a container, an ended process whose parent is gone may stay a zombie, because no process collects it
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _would_do_harm(frame: FrameType | None) -> bool:
    """Tell whether an exception would leave something half-written, or be lost: Python ignores those in a `__del__`."""
    while frame is not None:
        if frame.f_code in WRITES_IN_PLACE or frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False
