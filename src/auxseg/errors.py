"""Errors that users can fix, and exit codes.

The message of such an error is one line. It names the file, row or key, what was expected, and how to fix it. What it
quotes comes from files of users, so it is cut and its control characters are escaped here, for all messages.
"""

import errno
import re
import reprlib
import signal
from collections.abc import Iterable

EXIT_FAILED = 1
"""Exit code of all other errors: another attempt may succeed."""
EXIT_REJECTED = 2
"""Exit code for rejected input or parameters: another attempt cannot succeed."""
EXIT_TERMINATED = 128 + signal.SIGTERM
"""Exit code after SIGTERM, as in a shell: the same command resumes where this one stopped."""

QUOTED = 80
"""Number of characters of a quoted text that a message shows."""
LINE = 2000
"""Number of characters of a message."""

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters that break or re-colour a line of a terminal or a CSV, or that cannot be written as UTF-8."""
_QUOTE = re.compile(r"(?<!\w)'(.*?)'(?!\w)")
"""A text in quotes; the apostrophe of a word is none."""


DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Numbers of an OSError after which another attempt may succeed: a full disk or quota, or a failing disk."""


class AuxsegError(Exception):
    """Base class. Programs print the message as one line and exit with code 2, without a traceback."""

    def __init__(self, message: str = ""):
        super().__init__(one_line(message))


class DataError(AuxsegError):
    """An input file, table row, label or mask is missing or invalid."""


class ParamsError(AuxsegError):
    """A key of params.yaml or dvc.yaml is missing, unknown or out of range."""


class ChangedError(AuxsegError):
    """An input or parameter changed while it was in use. Exit code 1: another attempt may succeed."""


class ResourceError(AuxsegError):
    """The machine lacks a resource such as memory. Exit code 1: another attempt with more may succeed."""


def one_line(message: str) -> str:
    """Return a message as it may be printed: control characters escaped, long quotes and the whole of it cut."""
    line = cut(printable(message), 10 * LINE)
    return cut(_QUOTE.sub(lambda found: f"'{cut(found[1])}'", line), LINE)


def printable(text: str) -> str:
    r"""Return a text with its control characters escaped, as in `\x1b`."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def cut(text: str, most: int = QUOTED) -> str:
    """Return a text of at most `most` characters; a longer one loses its middle, because paths differ at the end."""
    return text if len(text) <= most else f"{text[: most // 2]}…{text[len(text) - (most - most // 2) + 1 :]}"


def quote(value: object) -> str:
    """Return a value of a file as a message quotes it, as `repr` writes it but at most QUOTED characters long.

    Lists and maps are cut before they are written, because a few bytes of YAML can stand for billions of values.
    """
    return cut(printable(_short.repr(value)))


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxlevel = 8
        self.maxstring = self.maxother = self.maxlong = QUOTED

    def repr_int(self, value: int, level: int) -> str:
        # Python writes no number of more than 4300 digits
        return repr(value) if value.bit_length() < 1024 else f"a number of {value.bit_length()} bits"


_short = _Short()


def memory_shortage(error: BaseException) -> str:
    """Return what has too little memory, `the GPU` or `this machine`; empty for another error."""
    text = str(error)
    if type(error).__name__ == "OutOfMemoryError" or "CUDA error: out of memory" in text:  # torch is not imported here
        return "the GPU"
    # numpy and zlib; torch on a CPU; OpenCV
    phrases = ("can't allocate memory", "not enough memory", "Insufficient memory", "Failed to allocate")
    return "this machine" if isinstance(error, MemoryError) or any(one in text for one in phrases) else ""


def first_line(reason: object, most: int = 80) -> str:
    """Return the first line of a reason, cut after `most` characters, as a message quotes it."""
    lines = str(reason).splitlines() or [type(reason).__name__]
    return lines[0] if len(lines[0]) <= most else f"{lines[0][:most]}…"


def shorten(names: Iterable[str], most: int) -> str:
    """Return names as a message shows them: at most `most`, each cut and on one line, and … for the others."""
    listed = list(names)
    return ", ".join([*(cut(printable(name)) for name in listed[:most]), *(["…"] if len(listed) > most else [])])
