"""Errors that users can fix, and exit codes.

The message of such an error is one line. It names the file, row or key, what was expected, and how to fix it.
"""

import errno
import signal
from collections.abc import Iterable

EXIT_FAILED = 1
"""Exit code of all other errors: another attempt may succeed."""
EXIT_REJECTED = 2
"""Exit code for rejected input or parameters: another attempt cannot succeed."""
EXIT_TERMINATED = 128 + signal.SIGTERM
"""Exit code after SIGTERM, as in a shell: the same command resumes where this one stopped."""


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Numbers of an OSError of a disk, or a quota on it, that has no more room, or fails."""


class AuxsegError(Exception):
    """Base class. Programs print the message as one line and exit with code 2, without a traceback."""


class DataError(AuxsegError):
    """An input file, table row, label or mask is missing or invalid."""


class ParamsError(AuxsegError):
    """A key of params.yaml or dvc.yaml is missing, unknown or out of range."""


class ResourceError(AuxsegError):
    """The machine lacks a resource such as memory. Exit code 1: another attempt with more may succeed."""


def memory_shortage(error: BaseException) -> str:
    """Return what has too little memory, `the GPU` or `this machine`; empty for another error."""
    text = str(error)
    if type(error).__name__ == "OutOfMemoryError" or "CUDA error: out of memory" in text:  # torch is not imported here
        return "the GPU"
    # numpy and zlib; torch on a CPU; OpenCV
    phrases = ("can't allocate memory", "not enough memory", "Insufficient memory", "Failed to allocate")
    return "this machine" if isinstance(error, MemoryError) or any(one in text for one in phrases) else ""


def one_line(reason: object, most: int = 80) -> str:
    """Return the first line of a reason, cut after `most` characters, as a message quotes it."""
    lines = str(reason).splitlines() or [type(reason).__name__]
    return lines[0] if len(lines[0]) <= most else f"{lines[0][:most]}…"


def shorten(names: Iterable[str], most: int) -> str:
    """Return names as a message shows them: at most `most`, and … for the others."""
    listed = list(names)
    return ", ".join([*listed[:most], *(["…"] if len(listed) > most else [])])
