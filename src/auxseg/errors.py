"""What a user can mend: one line that names the file, row or key, what was expected and how to mend it."""


class AuxsegError(Exception):
    """Base of every refusal. Programs print it as one line and exit with code 2, without a traceback."""


class DataError(AuxsegError):
    """An input file, table row, label or mask is not what it should be."""


class ParamsError(AuxsegError):
    """A key of params.yaml or dvc.yaml is missing, unknown or out of range."""


class ResourceError(AuxsegError):
    """The machine gave too little, memory say. Exit code 1: another attempt, with more, may succeed."""
