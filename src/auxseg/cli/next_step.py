"""What to do next: the last line of a command, and the end of an error before the first run."""

from pathlib import Path

from auxseg.errors import DataError

REPRO = "auxseg run"
"""The command that runs everything that is out of date."""


def print_next(step: str) -> None:
    """Print the next step, a command or a short instruction, as one line that starts with `next: `."""
    print(f"next: {step}")


def require_result(path: Path) -> None:
    """Check that a file that the pipeline writes is there.

    Raises:
        DataError: it is not; the message ends with the command that makes it.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; `dvc pull` it, or run `{REPRO}` first")
