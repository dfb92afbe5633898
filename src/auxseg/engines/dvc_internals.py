"""All undocumented names of DVC that auxseg uses: no other file imports `dvc` or `dvc_data`.

DVC's public interface is its command line and `dvc.api`, and neither tells a scheduler all that it needs. Each name
below says why there is no public way, and what could replace it. tests/engines/test_internals.py checks that each name
exists and takes the arguments used here, so an incompatible upgrade of DVC fails there first. It also checks the
attributes of `Repo` and of stages that other files of this package use. CONTRIBUTING.md explains how to upgrade.
"""

import contextlib
import inspect
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dvc.cli import logger as _dvc_log
from dvc.cli import main as _dvc
from dvc.dependency import ParamsDependency
from dvc.dependency.base import DependencyDoesNotExistError
from dvc.dvcfile import Lockfile
from dvc.exceptions import DvcException
from dvc.lock import LockError, make_lock
from dvc.output import OutputDoesNotExistError
from dvc.repo import Repo, lock_repo
from dvc.rwlock import RWLOCK_FILE, RWLOCK_LOCK, _edit_rwlock, rwlock
from dvc.rwlock import SCHEMA as RWLOCK_SCHEMA
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from dvc.stage import PipelineStage, Stage
from dvc.stage.cache import StageCache
from dvc.utils import dict_sha256
from dvc.utils.serialize import YAMLFileCorruptedError, parse_yaml
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.index import DataIndexDirError
from voluptuous import Invalid

__all__ = [  # names that other files use without a function here
    "DataIndexDirError",  # a folder's listing is not in the cache; DVCFileSystem raises it, undocumented
    "DvcException",  # the base class of DVC's errors; not documented, but `dvc.api` raises it
    "LockError",  # another process holds a lock; `dvc.api` raises it too, undocumented
    "PipelineStage",  # a stage instance; `dvc stage list` prints only names, not inputs, outputs and hashes
    "Repo",  # a project; `dvc.api` gives no access to stages, their state and the run cache
    "lock_repo",  # the lock that `dvc` commands take; a public form could be `repo.lock`
]

WRITES_IN_PLACE = frozenset(
    inspect.unwrap(function).__code__
    for function in (_edit_rwlock, rwlock, Lockfile.dump_stages, StageCache.save, Stage.commit)
)
"""The code of functions that write a file in place, or a folder and then its file. What they leave if they are
interrupted stops every later command, so a process that has to end first waits until none of them runs. Without
`Stage.commit`, which puts outputs into the cache, what the run cache has saved could not be restored. Not needed once
DVC writes its files atomically."""

LIFETIME = 365 * 24 * 3600.0
"""Lifetime of DVC's hard-link locks, seconds: DVC sets a lock's modification time this far into the future. A constant
inside `HardlinkLock`; not needed once `dvc` has a command that removes a dead lock."""


def run_dvc(arguments: list[str]) -> int:
    """Run a `dvc` command in this process; return its exit code.

    Not in a subprocess, because at SIGTERM this process must know whether DVC holds a lock or writes a file. A
    subprocess could replace it once DVC releases its locks at SIGTERM.
    """
    code: int = _dvc(arguments)
    return code


@contextlib.contextmanager
def noticing_busy_files() -> Iterator[list[str]]:
    """Yield a list that gets what DVC says when it ends because another process uses a file; DVC does not print it.

    `--wait-for-lock` waits for the lock of the project, but not for the files that a running stage has in use. It could
    replace this if it did. The exit code is 255, as for all errors. DVC's advice to remove `rwlock` is left out: the
    file also has the entries of runs that are alive.
    """
    found: list[str] = []

    def notice(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        while error is not None and not isinstance(error, LockError):
            error = error.__cause__ or error.__context__
        if error is None:
            return True
        found.append(lock_message(error))
        return False

    _dvc_log.addFilter(notice)
    try:
        yield found
    finally:
        _dvc_log.removeFilter(notice)


def lock_message(error: LockError) -> str:
    """Return what DVC says about a lock that another process holds, as one line, without its advice to remove files.

    Both its advices name files that have the entries of processes that are alive too.
    """
    text = str(error)
    if "is busy" not in text:
        return "another DVC process holds a lock of this project"
    return " ".join(text.partition("\n\n")[0].split())


def open_repo() -> Repo:
    """Open the project in the current folder; wait for its lock instead of failing after 3 seconds.

    `dvc --wait-for-lock` is public, but its equivalent in Python, `_wait_for_lock`, is not.
    """
    return Repo(".", _wait_for_lock=True)


@contextlib.contextmanager
def revision_files(revision: str) -> Iterator[Any]:
    """Yield the files that a git revision recorded, as a `dvc.api.DVCFileSystem` with the working tree's remotes.

    A revision may be older than the remote that has its files. `DVCFileSystem(rev=...)` accepts remotes, but only
    `dvc config` can read the present ones. It could replace this if it used the working tree's remotes by itself.
    """
    with Repo(".") as repo:
        name = repo.config["core"].get("remote")
        remotes = {"remote": repo.config["remote"], "core": {"remote": name} if name else {}}
    with Repo(".", rev=revision, config=remotes) as repo:
        yield repo.dvcfs


def is_params(dependency: Any) -> bool:
    """Tell whether an input of a stage is its parameters.

    `dvc.api` does not list a stage's inputs; such a list, with their kinds, could replace this.
    """
    return isinstance(dependency, ParamsDependency)


def is_cached(repo: Repo, stage: PipelineStage) -> bool:
    """Tell whether `stage.reproduce()` would restore its result instead of running the command.

    It asks the same two questions as `StageCache.restore`. A dry `restore`, and so `dvc repro --dry`, uses the inputs
    of the last run instead of the present ones; if it did not, it could replace this.
    """
    if not stage.changed_stage() and stage.deps_cached() and all(out.hash_info for out in stage.outs):
        return bool(stage.outs_cached())
    before = [(dependency, dependency.hash_info, dependency.meta) for dependency in stage.deps]
    cache: StageCache = repo.stage_cache
    try:
        stage.save_deps()
        entry = cache._load(stage)
        return bool(entry) and cache._create_stage(entry, wdir=stage.wdir).outs_cached()
    except (DvcException, AssertionError):  # an input is missing, or the stage is of a kind that is never cached
        return False
    finally:
        for dependency, hash_info, meta in before:
            dependency.hash_info, dependency.meta = hash_info, meta


def check_outputs(repo: Repo) -> None:
    """Check that no two stages write the same file, and none writes inside another one's output folder.

    `dvc dag` checks this too, but looks for cycles first, which takes a minute and a half at 4,000 instances. It could
    replace this if it took a second.

    Raises:
        DvcException: names the stages and the file.
    """
    _ = repo.index.outs_trie


def save_hashes(stage: PipelineStage) -> bool:
    """Hash a stage's present inputs and outputs, for dvc.lock; return False if one of them is missing.

    `dvc commit` does this too, but writes dvc.lock once per stage: see `write_entries`.
    """
    try:
        stage.save(run_cache=False)
    except (DependencyDoesNotExistError, OutputDoesNotExistError):
        return False
    return True


def write_entries(repo: Repo, stages: list[PipelineStage], lock: Path) -> None:
    """Write the entries of many stages into `lock`, a file in the format of dvc.lock, at once.

    `dvc commit` writes the whole dvc.lock once per stage, which takes 3 s each time at 400 instances. It could replace
    this if it wrote once.
    """
    Lockfile(repo, str(lock)).dump_stages(stages)


def remember_md5(repo: Repo, path: str, md5: str) -> None:
    """Tell DVC the MD5 of a file as it is now, so that it does not read the file.

    No command of DVC accepts an MD5; an option of `dvc commit` could replace this.
    """
    repo.state.save(str(Path(repo.root_dir, path)), repo.fs, HashInfo("md5", md5))


def is_file_cached(repo: Repo, md5: str) -> bool:
    """Tell whether DVC's cache on this machine has a file.

    `dvc data status` knows only outputs of dvc.yaml; it could replace this if it accepted any file.
    """
    return bool(repo.cache.local.exists(md5))


def cached_file(repo: Repo, md5: str) -> Path:
    """Return the path in DVC's cache of a file, or of a folder's listing (`.dir`), whether it is there or not.

    How the cache names its files is documented, but may change with its version; a command of DVC that checks the
    cache could replace this.
    """
    return Path(repo.cache.local.oid_to_path(md5))


def run_cache_folder(repo: Repo) -> str:
    """Return the folder of the run cache, whose entries are named <2 digits>/<key>.

    It is not documented. A job looks there instead of starting DVC; `dvc repro --dry` could replace that if it used the
    present inputs.
    """
    return str(repo.stage_cache.cache_dir)


def run_cache_key(entry: dict[str, Any]) -> str:
    """Return the key in the run cache of an entry of dvc.lock whose `outs` are only paths.

    How it is computed is not documented; what replaces `run_cache_folder` replaces this too.
    """
    # DVC means to leave out the sizes of files; parameters of these names are left out too
    return str(dict_sha256(entry, exclude=["size", "nfiles"]))


@contextlib.contextmanager
def edit_rwlock(repo: Repo, hardlinks: bool) -> Iterator[dict[str, Any]]:
    """Yield the entries of `rwlock`, {"write": {path: holder}, "read": {path: [holder]}}, and write them back at exit.

    DVC drops an entry of a dead process only if it is in the way, and it mistakes any process with the same id for the
    dead one. A command of DVC that clears such entries could replace this.
    """
    with _edit_rwlock(repo.tmp_dir, repo.fs, hardlinks) as entries:
        yield entries


def drop_broken_rwlock(repo: Repo, hardlinks: bool) -> bool:
    """Remove `rwlock` if a process was killed while it wrote the file; tell whether it was so.

    DVC asks people to do this. It is done under the lock under which DVC writes the file.
    """
    path = Path(repo.tmp_dir, RWLOCK_FILE)
    with make_lock(str(path.with_name(RWLOCK_LOCK)), tmp_dir=repo.tmp_dir, hardlink_lock=hardlinks):
        try:
            RWLOCK_SCHEMA(json.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            return False
        except (ValueError, Invalid):
            path.unlink()
            return True
    return False


def is_lockfile(text: str) -> bool:
    """Tell whether a text is a dvc.lock that DVC can read. No command of DVC says which file it cannot read."""
    try:
        COMPILED_LOCKFILE_SCHEMA(parse_yaml(text, "dvc.lock"))
    except (YAMLFileCorruptedError, Invalid):
        return False
    return True
