"""What a user can mend: one line that names the file, row or key, what was expected and how to mend it; exit codes."""

import signal

EXIT_FAILED = 1
"""Exit code of everything else: another attempt may succeed."""
EXIT_REFUSED = 2
"""Exit code of bad input or parameters: trying again cannot help."""
EXIT_TERMINATED = 128 + signal.SIGTERM
"""Exit code after SIGTERM, as a shell would have it: the same command goes on where this one stopped."""


class AuxsegError(Exception):
    """Base of every refusal. Programs print it as one line and exit with code 2, without a traceback."""


class DataError(AuxsegError):
    """An input file, table row, label or mask is not what it should be."""


class ParamsError(AuxsegError):
    """A key of params.yaml or dvc.yaml is missing, unknown or out of range."""


class ResourceError(AuxsegError):
    """The machine gave too little, memory say. Exit code 1: another attempt, with more, may succeed."""
