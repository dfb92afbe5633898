"""Remove half-written files that killed processes left beside the outputs of a stage. Nothing reads them, but they fill
the disk.

The names are `.tmp-PID-NAME` (auxseg.artifacts.atomic), `.tmpXXXXXX` (safetensors) and `*.tmp` (DVC). Other stage
instances may be writing into the same folder, on other machines too.
"""

import os
import re
import time
from collections.abc import Iterable
from pathlib import Path

from auxseg.artifacts.atomic import REPLACED, UNFINISHED, remove_path

UNTOUCHED = 3600.0
"""Nothing writes for so long, seconds, into a file that a living process has open."""


def remove_leftovers(outputs: Iterable[Path]) -> list[Path]:
    """Remove what is left beside the `outputs` of an instance that starts now, and is the only one; return the paths.

    What a dead process of this machine left of these outputs goes at once, everything else if it was not written to for
    UNTOUCHED seconds.
    """
    names: dict[Path, set[str]] = {}
    for output in outputs:
        names.setdefault(output.parent, set()).add(output.name)
    found = [path for folder, own in names.items() for path in sorted(_temporary(folder)) if _is_left(path, own)]
    for path in found:
        remove_path(path)
    return found


def _temporary(folder: Path) -> Iterable[Path]:
    if not folder.is_dir():
        return []
    return [
        path
        for path in folder.iterdir()
        if (path.name.startswith(".tmp") or path.name.endswith(UNFINISHED)) and path.suffix != ".lock"
    ]


def _is_left(path: Path, own: set[str]) -> bool:
    owner = re.fullmatch(r"\.tmp-(\d+)-(.+)", path.name)
    if owner and owner[2].removeprefix(REPLACED) in own and not _is_alive(int(owner[1])):
        return True
    try:
        return time.time() - max(file.lstat().st_mtime for file in (path, *path.rglob("*"))) > UNTOUCHED
    except FileNotFoundError:  # its process has just finished it
        return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
