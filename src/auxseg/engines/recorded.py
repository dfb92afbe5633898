"""Compare every artifact with dvc.lock: all files are read and hashed, whatever DVC remembers of them.

DVC takes a file for unchanged if its size and modification time are, so it does not see a bit that flipped on the disk.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auxseg.artifacts.atomic import own_files
from auxseg.engines.dvc_internals import PipelineStage, Repo, cached_file, is_lockfile, is_params, open_repo
from auxseg.engines.md5 import file_md5
from auxseg.engines.plan import CODE, new_fingerprints
from auxseg.engines.receipts import digest, read_params_file
from auxseg.engines.record import section_values
from auxseg.engines.recovery import one_line_errors
from auxseg.engines.restore import Needed, any_stale, needed_stages
from auxseg.engines.states import is_changed_input
from auxseg.errors import DataError
from auxseg.parallel import map_processes
from auxseg.pipeline.declaration import LOCK_FILE


@dataclass(frozen=True)
class WrongFile:
    """A file that is not what dvc.lock records; or a folder, if the listing of its files is not in DVC's cache."""

    path: str
    what: str
    """`missing`, `other bytes` or `not recorded`."""
    writer: str
    """Address of the instance that writes it; empty for a foreign file in a folder that stages read."""
    damaged_copy: Path | None = None
    """Its copy in DVC's cache, if that is damaged too."""


@dataclass(frozen=True)
class Recorded:
    """What dvc.lock records, compared with the files as they are."""

    needed: Needed
    wrong: list[WrongFile]
    outdated: dict[str, str]
    """Address of a recorded instance that does not belong to the present inputs -> the first of them that changed."""
    sections: dict[str, dict[str, Any]]
    """Address of a recorded instance -> the parameters that it ran with, by section of params.yaml."""
    files: int
    """Number of files that were hashed."""

    def writers(self) -> dict[str, str]:
        """Return declared output -> address of the instance that writes it."""
        return {output.def_path: stage.addressing for stage in self.needed for output in stage.outs}

    @property
    def unfinished(self) -> list[str]:
        """The instances that dvc.lock does not have: the run has not come to them, or was killed while they ran."""
        return [stage.addressing for stage in self.needed if stage.addressing not in self.sections]

    def would_run(self, bad: Collection[str]) -> list[str]:
        """Return the instances that have to run again, in their order, if the outputs of the instances `bad` are bad.

        These are outdated and unfinished ones, those with a wrong file, and all that need one of them.
        """
        seeds = {*bad, *self.outdated, *self.unfinished, *(one.writer for one in self.wrong)}
        stale: dict[str, bool] = {}
        for stage, above in self.needed.items():
            stale[stage.addressing] = any_stale(above, stale, CODE) or stage.addressing in seeds
        return [address for address, is_stale in stale.items() if is_stale]


def compare_with_lock() -> Recorded:
    """Hash all inputs and outputs of all stage instances, in processes, and compare them with dvc.lock.

    Raises:
        DataError: one line: there is no dvc.lock, or DVC cannot read the project.
    """
    if not LOCK_FILE.is_file():
        raise DataError(f"{LOCK_FILE}: no such file, so nothing is recorded yet; run `auxseg run` first")
    if not is_lockfile(LOCK_FILE.read_text("utf-8", errors="replace")):
        raise DataError(
            f"{LOCK_FILE}: incomplete, because a process was killed while it wrote; `auxseg check` repairs it"
        )
    with one_line_errors(), open_repo() as repo:
        needed = needed_stages([stage for stage in repo.index.stages if stage.cmd])
        hashes, present = _hash_all(needed)
        outdated = dict(_outdated(needed, present))
        recorded = [stage for stage in needed if _is_recorded(stage)]
        wrong = [one for stage in recorded for one in _wrong_outputs(repo, stage, hashes, present)]
        wrong += _foreign(needed, hashes)
        sections = {stage.addressing: section_values(stage) for stage in recorded}
    return Recorded(needed, wrong, outdated, sections, len(hashes))


def _is_recorded(stage: PipelineStage) -> bool:
    return all(output.hash_info for output in stage.outs)


def _hash_all(stages: Needed) -> tuple[dict[Path, str], dict[str, str]]:
    """Return the MD5 of every file, and of every input and output as DVC records it; missing ones are left out."""
    declared = {item.def_path for stage in stages for item in (*stage.deps, *stage.outs) if not is_params(item)}
    paths = [path for name in sorted(declared) if (path := Path(name)).exists()]
    files = sorted({file for path in paths for file in own_files(path)})
    hashes = dict(zip(files, map_processes(file_md5, files, "hash", unit="file"), strict=True))
    return hashes, {path.as_posix(): digest(path, hashes.__getitem__) for path in paths}


def _outdated(stages: Needed, present: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield address and first change of every instance that ran with other inputs, parameters or another command."""
    params, present = read_params_file(), dict(present)
    for stage in filter(_is_recorded, stages):
        if stage.changed_stage():
            yield stage.addressing, "its command in dvc.yaml has changed"
        elif changed := [item for item in stage.deps if is_changed_input(item, params, present)]:
            name = "its parameters" if is_params(changed[0]) else changed[0].def_path
            yield stage.addressing, f"{name} changed since it ran"
            if stage.addressing == CODE:  # its outputs count as written, so that only stages whose code changed are
                present |= new_fingerprints(stage)


def _wrong_outputs(
    repo: Repo, stage: PipelineStage, hashes: Mapping[Path, str], present: Mapping[str, str]
) -> Iterator[WrongFile]:
    for output in stage.outs:
        path, md5 = output.def_path, output.hash_info.value
        if present.get(path) == md5:
            continue
        recorded = _recorded_files(repo, path, md5)
        if not recorded:
            yield WrongFile(path, "other bytes" if path in present else "missing", stage.addressing)
            continue
        found = {file.as_posix(): hashes[file] for file in own_files(Path(path))} if path in present else {}
        for name in sorted(recorded.keys() | found.keys()):
            if recorded.get(name) != found.get(name):
                what = "missing" if name not in found else "other bytes" if name in recorded else "not recorded"
                yield WrongFile(name, what, stage.addressing, _damaged_copy(repo, recorded.get(name)))


def _foreign(stages: Needed, files: Iterable[Path]) -> Iterator[WrongFile]:
    """Yield files that no stage writes, in a folder of outputs that a stage reads as a whole: they count as inputs."""
    written = {output.def_path for stage in stages for output in stage.outs}
    above = {folder.as_posix() for output in written for folder in Path(output).parents}
    read = {item.def_path for stage in stages for item in stage.deps if not is_params(item)} & above
    for file in files:
        folders = {folder.as_posix() for folder in file.parents}
        if not folders.isdisjoint(read) and written.isdisjoint({file.as_posix(), *folders}):
            yield WrongFile(file.as_posix(), "not recorded", "")


def _recorded_files(repo: Repo, path: str, md5: str) -> dict[str, str]:
    """Return the files of an output with their MD5; nothing for a folder whose listing DVC's cache does not have."""
    if not md5.endswith(".dir"):
        return {path: md5}
    listing = cached_file(repo, md5)
    if not listing.is_file() or file_md5(listing) != md5.removesuffix(".dir"):
        return {}
    return {f"{path}/{row['relpath']}": row["md5"] for row in json.loads(listing.read_text("utf-8"))}


def _damaged_copy(repo: Repo, md5: str | None) -> Path | None:
    copy = None if md5 is None else cached_file(repo, md5)
    return copy if copy is not None and copy.is_file() and file_md5(copy) != md5 else None
