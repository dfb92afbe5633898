"""Remove locks that killed DVC processes left behind; the controller does so before it plans, when no job runs.

DVC has two kinds. `rwlock` lists the files that running commands read and write, with the process id. DVC drops an
entry only if it is in the way and no process has that id, but on another node an unrelated process may have it. The
project lock, if it is a hard link (`core.hardlink_lock`, for file systems without flock), lasts a year. Entries of
living processes are kept.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from auxseg.engines.dvc_internals import LIFETIME, Repo, drop_broken_rwlock, edit_rwlock
from auxseg.engines.heartbeat import SILENCE


def clear_dead_locks(repo: Repo, silence: float = SILENCE) -> list[str]:
    """Remove locks of dead processes and return a description of each; no job of this project may be running anywhere.

    A hard-link lock does not say which process holds it. It is removed if no process on this machine uses DVC in the
    project and the lock is older than `silence` seconds, which is long enough for a short DVC command elsewhere.
    """
    hardlinks = bool(repo.config["core"].get("hardlink_lock"))
    names = ("lock", "rwlock.lock") if hardlinks else ()
    cleared = [name for name in names if _clear_hardlink(Path(repo.tmp_dir, name), silence)]
    return [f"{name}: the lock of a killed process" for name in cleared] + clear_entries(repo)


def _clear_hardlink(lock: Path, silence: float) -> bool:
    """Remove a hard-link lock and its claim if it is certainly dead; tell whether there was one."""
    while (made := _made(lock)) is not None:
        if time.time() - made < silence or any(_workers(lock.parents[2])):
            time.sleep(min(1.0, silence))
            continue
        claims = [claim for claim in lock.parent.glob("*.lock") if claim.samefile(lock)]
        for path in {lock, *claims}:
            path.unlink(missing_ok=True)
        return True
    return False


def _made(lock: Path) -> float | None:
    """Return when a hard-link lock was created, seconds since 1970; None if it is free."""
    try:
        state = lock.stat()
    except FileNotFoundError:
        return None
    # with flock, DVC leaves a plain file there, which is not a lock
    return state.st_mtime - LIFETIME if state.st_nlink > 1 else None


def clear_entries(repo: Repo) -> list[str]:
    """Remove dead processes' entries from rwlock, or the file if it is incomplete; return a description of each."""
    hardlinks = bool(repo.config["core"].get("hardlink_lock"))
    if not Path(repo.tmp_dir, "rwlock").exists():
        return []
    if drop_broken_rwlock(repo, hardlinks):
        return ["rwlock: incomplete, because a process was killed while it wrote"]
    dead = set()
    with edit_rwlock(repo, hardlinks) as entries:
        for path, holder in list(entries["write"].items()):
            if not _lives(holder):
                dead.add(f"rwlock: {holder['cmd']} (process {holder['pid']}), killed")
                del entries["write"][path]
        for path, holders in list(entries["read"].items()):
            dead |= {f"rwlock: {one['cmd']} (process {one['pid']}), killed" for one in holders if not _lives(one)}
            entries["read"][path] = [one for one in holders if _lives(one)]
            if not entries["read"][path]:
                del entries["read"][path]
    return sorted(dead)


def _lives(holder: dict[str, Any]) -> bool:
    """Tell whether the holder of an entry is a process of this machine, by its id and the end of its command."""
    try:
        arguments = psutil.Process(holder["pid"]).cmdline()
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    # DVC records its own sys.argv, without the interpreter, and with a path instead of `-m dvc`
    noted = holder["cmd"].split()[1:]
    return not noted or " ".join(arguments).split()[-len(noted) :] == noted


def _workers(root: Path) -> Iterator[psutil.Process]:
    """Yield the other processes of this machine that run DVC or a job in the project's folder."""
    own = {psutil.Process().pid, *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
            if process.pid not in own and process.cwd() == str(root) and ("dvc" in command or "auxseg" in command):
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
