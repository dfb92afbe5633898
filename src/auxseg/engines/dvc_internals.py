"""Every name of DVC that auxseg uses and that DVC does not document: no other file imports `dvc` or `dvc_data`.

DVC promises its command line and `dvc.api`, and neither can say what a scheduler has to know. Each name below says why
there is no public way, and what would replace it. tests/engines/test_internals.py checks that each exists and takes the
arguments that it gets here, so that an upgrade of DVC fails there first. The attributes of a `Repo` and a stage that
the other files of this package use are checked there too. CONTRIBUTING.md tells how to upgrade.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dvc.cli import main as _dvc
from dvc.dependency import ParamsDependency
from dvc.dependency.base import DependencyDoesNotExistError
from dvc.dvcfile import Lockfile
from dvc.exceptions import DvcException
from dvc.output import OutputDoesNotExistError
from dvc.repo import Repo, lock_repo
from dvc.rwlock import RWLockFileCorruptedError, _edit_rwlock, rwlock
from dvc.stage import PipelineStage
from dvc.stage.cache import StageCache
from dvc.utils import dict_sha256
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.index import DataIndexDirError

__all__ = [  # those without a function here
    "DataIndexDirError",  # a folder's listing is not in the cache; DVCFileSystem raises it, and does not document it
    "DvcException",  # the class of all of DVC's errors; documented nowhere, but `dvc.api` raises it
    "PipelineStage",  # a stage instance; `dvc stage list` prints names alone, without inputs, outputs and hashes
    "Repo",  # a project; `dvc.api` reads one and cannot ask for stages, their state, or the run cache
    "lock_repo",  # the lock that `dvc` commands take; a public form of it would be `repo.lock`
]

WRITES_IN_PLACE = frozenset(function.__name__ for function in (_edit_rwlock, rwlock, Lockfile.dump_stages))
"""Functions that write a file in place. Cut off, they leave one that stops every later command, so a job that is told
to end waits until it is in none of them. Goes when DVC writes its files atomically."""

LIFETIME = 365 * 24 * 3600.0
"""Seconds that DVC gives a hard-link lock: its time of change lies that far ahead of its making. A constant inside
`HardlinkLock`; goes when `dvc` has a command that removes a dead lock."""


def run_dvc(arguments: list[str]) -> int:
    """Run a `dvc` command in this process; return its exit code.

    Not as a subprocess: at SIGTERM this process must know whether DVC holds a lock or writes. Replaced by a
    subprocess as soon as DVC gives its locks back at SIGTERM.
    """
    code: int = _dvc(arguments)
    return code


def open_repo() -> Repo:
    """Open the project in the current folder; its lock is waited for, not given up after 3 seconds.

    `dvc --wait-for-lock` is public and its form in Python, `_wait_for_lock`, is not.
    """
    return Repo(".", _wait_for_lock=True)


@contextlib.contextmanager
def revision_files(revision: str) -> Iterator[Any]:
    """Yield the files that a git revision recorded, as a `dvc.api.DVCFileSystem` does, with today's remotes.

    A revision may be older than the remote that holds its files. `DVCFileSystem(rev=...)` takes remotes too, but to
    read those of today there is only `dvc config`. Replaced by it once it takes the working tree's remotes by itself.
    """
    with Repo(".") as repo:
        name = repo.config["core"].get("remote")
        remotes = {"remote": repo.config["remote"], "core": {"remote": name} if name else {}}
    with Repo(".", rev=revision, config=remotes) as repo:
        yield repo.dvcfs


def is_params(dependency: Any) -> bool:
    """Tell whether an input of a stage is its parameters.

    `dvc.api` has no inputs of a stage at all; a list of them, with their kind, would replace this.
    """
    return isinstance(dependency, ParamsDependency)


def is_cached(repo: Repo, stage: PipelineStage) -> bool:
    """Tell whether `stage.reproduce()` would find its result instead of running the command.

    The same two questions as in `StageCache.restore`. Its dry form, and with it `dvc repro --dry`, asks with the
    inputs of the last run instead of the present ones, and would replace this if it did not.
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
    """Check that no two stages write the same file, or one inside the other's folder.

    `dvc dag` says so too, after it has looked for cycles, which takes a minute and a half at 4,000 instances. Replaced
    by it when that takes a second.

    Raises:
        DvcException: names the stages and the file.
    """
    _ = repo.index.outs_trie


def save_hashes(stage: PipelineStage) -> bool:
    """Hash a stage's inputs and outputs as they are now, for dvc.lock; return False if one of them is missing.

    `dvc commit` does it too, and writes dvc.lock once a stage: see `write_entries`.
    """
    try:
        stage.save(run_cache=False)
    except (DependencyDoesNotExistError, OutputDoesNotExistError):
        return False
    return True


def write_entries(repo: Repo, stages: list[PipelineStage], lock: Path) -> None:
    """Write the entries of many stages into `lock`, a file in the form of dvc.lock, at once.

    `dvc commit` writes dvc.lock once a stage, and each time all of it: 3 s at 400 instances. Replaced by `dvc commit`
    if that ever writes once.
    """
    Lockfile(repo, str(lock)).dump_stages(stages)


def remember_md5(repo: Repo, path: str, md5: str) -> None:
    """Tell DVC the MD5 of a file as it is now, so that it does not read the file.

    DVC has no command that takes an MD5 from outside. Replaced by one, as an option of `dvc commit`.
    """
    repo.state.save(str(Path(repo.root_dir, path)), repo.fs, HashInfo("md5", md5))


def is_file_cached(repo: Repo, md5: str) -> bool:
    """Tell whether DVC's cache on this machine has a file.

    `dvc data status` tells it of outputs of dvc.yaml alone, and would replace this if it took any file.
    """
    return bool(repo.cache.local.exists(md5))


def run_cache_folder(repo: Repo) -> str:
    """Return the folder of the run cache, whose entries have the names <2 digits>/<key>.

    It is documented nowhere. A job looks into it instead of starting DVC; `dvc repro --dry` would replace that look if
    it asked the run cache with the present inputs.
    """
    return str(repo.stage_cache.cache_dir)


def run_cache_key(entry: dict[str, Any]) -> str:
    """Return the key in the run cache of an entry of dvc.lock whose `outs` are paths alone.

    As the folder: what it is made of is documented nowhere, and what would replace that one replaces this.
    """
    # as DVC does, which means the sizes of files, and takes any parameter of these names out too
    return str(dict_sha256(entry, exclude=["size", "nfiles"]))


@contextlib.contextmanager
def edit_rwlock(repo: Repo, hardlinks: bool) -> Iterator[dict[str, Any]]:
    """Yield the entries of `rwlock`, {"write": {path: holder}, "read": {path: [holder]}}, and write them back after.

    DVC drops entries of dead processes only where they are in its way, and takes any process with a dead one's number
    for the dead one. Replaced by a command of DVC that clears them.

    Raises:
        ValueError: the file was cut off.
    """
    try:
        with _edit_rwlock(repo.tmp_dir, repo.fs, hardlinks) as entries:
            yield entries
    except RWLockFileCorruptedError as error:
        raise ValueError(str(error)) from error
