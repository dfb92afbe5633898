"""Notes about rejected input, so that a scheduler does not retry the job.

The exit code cannot tell, because `dvc repro` replaces the stage's by its own. So the scheduler names a file in the
environment, and a stage that rejects its input writes the error message there. Notes last for one run of Snakemake. The
next run tries every stage again, because the user may have fixed something that dvc.yaml does not track, such as an
image or `AUXSEG_DATA`.
"""

import os
import shutil
from pathlib import Path

from auxseg.artifacts.atomic import write_text

VARIABLE = "AUXSEG_REJECTION"
"""Environment variable with the path of the note; without it no note is written."""
FOLDER = Path(".snakemake/rejected")


def note_of(stage: str, key: str) -> Path:
    """Return the path of an instance's note."""
    return FOLDER / stage / key


def leave_note(message: str) -> None:
    """Write the note if the environment names a file for it."""
    if path := os.environ.get(VARIABLE):
        write_text(Path(path), message + "\n")


def is_rejected(stage: str, key: str) -> bool:
    """Tell whether an instance rejected its input since the notes were cleared."""
    note = note_of(stage, key)
    # list the folder, because for a single name NFS may answer from its cache, and another node wrote this file
    return note.parent.is_dir() and note in note.parent.iterdir()


def clear_notes() -> None:
    """Remove all notes."""
    shutil.rmtree(FOLDER, ignore_errors=True)
