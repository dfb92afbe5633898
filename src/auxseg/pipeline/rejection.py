"""A rejection leaves a note, so that a scheduler does not try the job again.

`dvc repro` exits with its own code whatever the stage's was, so the code cannot tell. The scheduler names a file in
the environment, and a stage that rejects its input writes its one line there. Notes last for one run of Snakemake: the
next run asks every stage again, because the input may have been fixed where dvc.yaml sees nothing (an image,
`AUXSEG_DATA`).
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
    """Write the note that the environment asks for, if it does."""
    if path := os.environ.get(VARIABLE):
        write_text(Path(path), message + "\n")


def is_rejected(stage: str, key: str) -> bool:
    """Tell whether an instance rejected its input since the notes were cleared."""
    note = note_of(stage, key)
    # read the folder: NFS answers from memory when it is asked for one name, and a job on another node wrote this one
    return note.parent.is_dir() and note in note.parent.iterdir()


def clear_notes() -> None:
    """Forget all rejections."""
    shutil.rmtree(FOLDER, ignore_errors=True)
