"""What to do next: the last line of a command, and the end of an error before the first run."""

import os
from pathlib import Path

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.errors import DataError
from auxseg.params.dag import read_params
from auxseg.params.data import DataParams
from auxseg.params.local import local_values
from auxseg.pipeline.declaration import LOCK_FILE

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
        require_run()
        raise DataError(f"{path}: no such file; `dvc pull` it, or run `{REPRO}` first")


def has_run() -> bool:
    """Tell whether the stage `prepare` or a later one has run in this project, or its result is recorded."""
    store = Store()
    made = (store.manifest, store.label_rounds, store.weights(Round.parse("r0")), store.tables)
    is_recorded = LOCK_FILE.is_file() and "\n  prepare:" in LOCK_FILE.read_text("utf-8", errors="replace")
    return is_recorded or any(path.exists() for path in made)


def require_run() -> None:
    """Check that the pipeline has run in this project, whether to its end or not, or that its results are recorded.

    Raises:
        DataError: it has not; the message ends with the next step.
    """
    if has_run():
        return
    needs_root = DataParams.parse(read_params().get(DataParams.key)).format != "scenes"
    has_root = "AUXSEG_DATA" in os.environ or "data_root" in local_values()
    step = f"auxseg use PRESET --data FOLDER, then {REPRO}" if needs_root and not has_root else REPRO
    raise DataError(f"nothing has been run yet in this project, so there are no results; next: {step}")
