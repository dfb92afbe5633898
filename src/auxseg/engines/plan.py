"""The plan for Snakemake: every stage instance, what it needs, and whether DVC considers it stale.

Snakemake schedules and DVC decides what is stale. Snakemake's main process makes the plan once; jobs read it from a
file.
"""

import hashlib
import sys

from auxseg.counts import counted
from auxseg.engines.dvc_internals import (
    PipelineStage,
    Repo,
    check_outputs,
    is_params,
    open_repo,
    run_cache_folder,
)
from auxseg.engines.heartbeat import reject_running, running_elsewhere, running_jobs
from auxseg.engines.locks import clear_dead_locks
from auxseg.engines.plan_file import Node, Plan, Task
from auxseg.engines.receipts import Receipt, cache_key, read_params_file, read_receipts
from auxseg.engines.record import record_receipts, section_names, section_values
from auxseg.engines.recovery import one_line_errors, repair
from auxseg.engines.restore import find_stale, needed_stages, restore_stale
from auxseg.engines.states import is_changed
from auxseg.params.pipeline import PipelineParams
from auxseg.params.registry import check
from auxseg.pipeline.fingerprint import expected_files
from auxseg.pipeline.instances import require_sections
from auxseg.pipeline.orphans import reject_orphans

CODE = "code"


def make_plan(dry: bool) -> Plan:
    """Ask DVC for all stage instances and their state.

    Unless `dry`, it first cleans up after earlier runs: it removes locks of killed processes, records receipts, updates
    the code fingerprints and checks out cached results. A dry run changes nothing and computes the fingerprints in
    memory.

    Raises:
        AuxsegError: one line: params.yaml or dvc.yaml is wrong, DVC cannot read the project, or (unless `dry`) jobs of
            an earlier Snakemake or an `auxseg run` on another machine still run.
    """
    values = check()
    require_sections(values)
    alone = PipelineParams.parse(values.get(PipelineParams.key)).record == "controller"
    with one_line_errors(), open_repo() as repo:
        if not dry:
            _settle(repo)
        elif waiting := len(read_receipts()):
            finished = counted(waiting, "finished result is", "finished results are")
            _say(f"{finished} not recorded yet; `auxseg record` or the next run does that")
        stages = repo.index.stages
        check_outputs(repo)
        reject_orphans(values)
        needed = needed_stages(stages)
        code = next(stage for stage in stages if stage.addressing == CODE)
        fingerprints = new_fingerprints(code) if is_changed(code, read_params_file(), {}) else {}
        if dry:
            stale = find_stale(repo, needed, CODE, fingerprints)
        else:
            stale, restored = restore_stale(repo, needed, CODE)
            for address in restored:
                _say(f"restored from DVC's run cache: {address}")
        return {stage.addressing: _node(repo, stage, needed[stage], stale, alone) for stage in stages if stage.cmd}


def record_results() -> bool:
    """Record what jobs without DVC finished; tell whether there was anything. The controller does this when it ends.

    Raises:
        AuxsegError: one line: DVC cannot read the project.
    """
    found = read_receipts()
    if found:
        with one_line_errors(), open_repo() as repo:
            _say(f"recorded {len(record_receipts(repo))} of {len(found)} results in dvc.lock")
    return bool(found)


def check_no_running_jobs() -> None:
    """Check that no job is running, and no `auxseg run` on another machine.

    Raises:
        DataError: names the first of them.
    """
    reject_running(list(dict.fromkeys([*running_jobs(), *running_elsewhere()])))


def _settle(repo: Repo) -> None:
    """Clean up after an earlier run."""
    check_no_running_jobs()
    for line in [*clear_dead_locks(repo), *repair(repo)]:
        _say(f"cleared {line}")
    for address in record_receipts(repo):
        _say(f"recorded, finished by an earlier run: {address}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _node(repo: Repo, stage: PipelineStage, needed: list[PipelineStage], stale: dict[str, bool], alone: bool) -> Node:
    addresses = [one.addressing for one in needed if one.addressing != CODE]
    node = Node(deps=addresses, stale=stale[stage.addressing])
    if alone and node["stale"]:
        node["task"] = _task(repo, stage)
    return node


def _task(repo: Repo, stage: PipelineStage) -> Task:
    files = [dependency for dependency in stage.deps if not is_params(dependency)]
    outputs, recorded = [out.def_path for out in stage.outs], ""
    if not stage.changed_stage() and all(dependency.hash_info for dependency in stage.deps):  # those of dvc.lock
        inputs = {file.def_path: file.hash_info.value for file in files}
        entry = Receipt(
            address=stage.addressing, cmd=stage.cmd, inputs=inputs, params=section_values(stage), outputs={}, files=[]
        )
        recorded = cache_key(entry, outputs)
    return Task(
        cmd=stage.cmd,
        inputs=[file.def_path for file in files],
        params=section_names(stage),
        outputs=outputs,
        recorded=recorded,
        run_cache=run_cache_folder(repo),
    )


def new_fingerprints(code: PipelineStage) -> dict[str, str]:
    """Return path -> MD5 (as DVC records it) of the fingerprints of the present code.

    Raises:
        DataError: a file that cannot be parsed.
    """
    files = expected_files([out.def_path for out in code.outs])
    return {path: hashlib.md5(text.encode()).hexdigest() for path, text in files.items()}
