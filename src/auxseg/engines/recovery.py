"""Repair what a killed DVC process left half-written, because DVC itself stops at it, before it runs anything.

- `.dvc/tmp/rwlock` that is empty or cut off: "JSON structure is corrupted".
- A folder of the run cache without an entry: "join() argument must be str … not 'NoneType'".
- `dvc.lock` that is cut off. Without it, DVC finds all results in the run cache.

Everything is done under the lock under which DVC writes, so nothing of a living process is taken: processes
of this machine are known by their ids, `auxseg run` and jobs on others by their heartbeats. `auxseg run`, `auxseg
check` and the Snakefile do this first. A plain `dvc repro` runs no code of ours before it reads these files.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from auxseg.artifacts.atomic import remove_path
from auxseg.engines.dvc_internals import (
    DvcException,
    LockError,
    Repo,
    is_lockfile,
    lock_message,
    lock_repo,
    open_repo,
    run_cache_folder,
)
from auxseg.engines.heartbeat import running_elsewhere
from auxseg.engines.locks import clear_entries
from auxseg.errors import DataError
from auxseg.pipeline.declaration import LOCK_FILE

SECONDS_TO_WRITE = 2.0
"""A folder of the run cache gets its entry within this time. Another clone may write into a shared cache."""
BROKEN_LOCK = "dvc.lock.broken"


def repair_project() -> list[str]:
    """Repair the project in the current folder, if it is one; return a description of each repair.

    Raises:
        DataError: one line: DVC cannot read the project.
    """
    if not Path(".dvc").is_dir():
        return []
    with one_line_errors(), open_repo() as repo:
        # a process id of another node means nothing here
        entries = [] if running_elsewhere() else clear_entries(repo)
        return entries + repair(repo)


def repair(repo: Repo, seconds: float = SECONDS_TO_WRITE) -> list[str]:
    """Repair run cache and dvc.lock; return a description of each repair."""
    with lock_repo(repo):
        return _repair_lockfile(repo) + _repair_run_cache(Path(run_cache_folder(repo)), seconds)


def _repair_lockfile(repo: Repo) -> list[str]:
    path = Path(repo.root_dir, LOCK_FILE)
    if not path.is_file():
        return []
    text = path.read_text("utf-8", errors="replace")
    if is_lockfile(text) or "<<<<<<<" in text:  # a conflict of git is for people to solve
        return []
    kept = Path(repo.tmp_dir, BROKEN_LOCK)
    path.replace(kept)
    kept = kept.relative_to(repo.root_dir)
    return [f"dvc.lock: incomplete, because a process was killed while it wrote; it is {kept} now"]


def _repair_run_cache(folder: Path, seconds: float) -> list[str]:
    empty = list(_without_entry(folder))
    if empty:
        time.sleep(seconds)
    found = [entry for entry in empty if not _has_entry(entry)]
    for entry in found:
        remove_path(entry)
    return [f"run cache: {entry.name}: no entry, because a process was killed while it wrote" for entry in found]


def _without_entry(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for group in folder.iterdir():
            yield from (entry for entry in (group.iterdir() if group.is_dir() else ()) if not _has_entry(entry))


def _has_entry(folder: Path) -> bool:
    if not folder.is_dir():
        return True
    with os.scandir(folder) as files:
        return any(not file.name.endswith(".tmp") and file.stat().st_size for file in files)


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn an error of DVC into one line.

    Raises:
        DataError: DVC raised an error.
    """
    try:
        yield
    except LockError as error:
        raise DataError(f"{lock_message(error)}; run the same command again when it has ended") from error
    except DvcException as error:
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        raise DataError(" ".join(f"DVC: {error}{cause}".split())) from error
