"""Record the results of jobs that ran without DVC: all receipts at once, with a single write of dvc.lock.

A receipt is recorded only if the command, every input, every parameter and every output are now as they were when it
was written. Any other receipt is dropped, and its stage runs again. As in DVC, a file is considered unchanged if its
size and modification time are.
"""

import shutil
from pathlib import Path
from typing import Any

from auxseg.artifacts.atomic import atomic_path
from auxseg.engines.dvc_internals import (
    PipelineStage,
    Repo,
    is_params,
    lock_repo,
    remember_md5,
    save_hashes,
    write_entries,
)
from auxseg.engines.receipts import Receipt, read_receipts, read_sections, receipt_path, times
from auxseg.pipeline.declaration import LOCK_FILE


def record_receipts(repo: Repo) -> list[str]:
    """Record all receipts in DVC's cache, run cache and dvc.lock; return the addresses recorded.

    If it is killed, the receipts are still there, and the next call starts over.
    """
    receipts = read_receipts()
    if not receipts:
        return []
    with lock_repo(repo), repo.scm_context(quiet=True):
        stages = {stage.addressing: stage for stage in repo.index.stages}
        for receipt in receipts:  # of all first, because the output of one is the input of another
            _spare_hashing(repo, receipt)
        recorded = [
            stages[receipt["address"]]
            for receipt in receipts
            if receipt["address"] in stages and _is_true(stages[receipt["address"]], receipt)
        ]
        for stage in recorded:
            repo.stage_cache.save(stage)
            stage.commit()
        if recorded:
            write_lock(repo, recorded)
    for receipt in receipts:
        receipt_path(receipt["address"]).unlink(missing_ok=True)
    return [stage.addressing for stage in recorded]


def write_lock(repo: Repo, stages: list[PipelineStage]) -> None:
    """Write the stages' entries to dvc.lock, all or none.

    DVC writes it in place, which takes 10 s at a thousand instances; a controller that is killed meanwhile would leave
    an incomplete file.
    """
    lock = Path(repo.root_dir, LOCK_FILE)
    with atomic_path(lock) as temporary:
        if lock.exists():
            shutil.copy(lock, temporary)
        write_entries(repo, stages, temporary)


def _is_true(stage: PipelineStage, receipt: Receipt) -> bool:
    """Tell whether a receipt is still true; if so, the stage has the hashes for dvc.lock afterwards."""
    if not save_hashes(stage):
        return False
    files = [dependency for dependency in stage.deps if not is_params(dependency)]
    return (
        stage.cmd == receipt["cmd"]
        and {file.def_path: file.hash_info.value for file in files} == receipt["inputs"]
        and {output.def_path: output.hash_info.value for output in stage.outs} == receipt["outputs"]
        and read_sections(list(receipt["params"])) == receipt["params"]
        and set(receipt["params"]) == set(section_names(stage))
    )


def _spare_hashing(repo: Repo, receipt: Receipt) -> None:
    """Tell DVC the MD5 of files that are unchanged since their job hashed them, so that it does not read them again."""
    paths = [path for path, *_ in receipt["files"]]
    if all(Path(path).is_file() for path in paths) and times(paths) == receipt["files"]:
        for path in paths:
            remember_md5(repo, path, receipt["outputs"][path])


def section_names(stage: PipelineStage) -> list[str]:
    """Return the sections of params.yaml that a stage declares, sorted."""
    return sorted(name for dependency in _params(stage) for name in dependency.params)


def section_values(stage: PipelineStage) -> dict[str, Any]:
    """Return the values of those sections as dvc.lock has them."""
    return {name: value for dependency in _params(stage) for name, value in dependency.hash_info.value.items()}


def _params(stage: PipelineStage) -> list[Any]:
    return [dependency for dependency in stage.deps if is_params(dependency)]
