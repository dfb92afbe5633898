"""Find the stale stage instances, and restore those whose results DVC's run cache has.

`dvc repro` restores each stage when its turn comes. A scheduler has to restore before it submits, so that an existing
result never waits in a cluster's queue.
"""

from graphlib import CycleError, TopologicalSorter

from auxseg.engines.dvc_internals import PipelineStage, Repo, is_cached, is_params, lock_repo
from auxseg.engines.receipts import read_params_file
from auxseg.engines.record import write_lock
from auxseg.engines.states import is_changed
from auxseg.errors import DataError
from auxseg.pipeline.declaration import Declaration
from auxseg.pipeline.graph import readers

RERUN = {"AUXSEG_LOG": "WARNING"}
"""Environment of a stage that is run here, which keeps its log out of the scheduler's output."""


Needed = dict[PipelineStage, list[PipelineStage]]
"""Stage instance -> those whose outputs it reads, both in the order of dvc.yaml."""


def needed_stages(stages: list[PipelineStage]) -> Needed:
    """Return the instances whose outputs each stage instance reads, ordered so that each comes after all it needs.

    Raises:
        DataError: one line: dvc.yaml has a cycle.
    """
    edges = readers([_declaration(stage) for stage in stages])
    found: dict[int, list[int]] = {index: [] for index in range(len(stages))}
    for writer in sorted(edges):
        for reader in edges[writer]:
            found[reader].append(writer)
    try:
        order = list(TopologicalSorter(found).static_order())
    except CycleError as error:
        names = " -> ".join(stages[index].addressing for index in error.args[1])
        raise DataError(
            f"dvc.yaml: its stages need each other in a cycle: {names}; remove one of these dependencies"
        ) from None
    return {stages[index]: [stages[needed] for needed in found[index]] for index in order}


def _declaration(stage: PipelineStage) -> Declaration:
    inputs = frozenset(dependency.def_path for dependency in stage.deps if not is_params(dependency))
    return Declaration(inputs, frozenset(output.def_path for output in stage.outs), frozenset())


def find_stale(repo: Repo, needed: Needed, free: str, fingerprints: dict[str, str]) -> dict[str, bool]:
    """Tell for every instance whether it, or something that it needs, is stale; change nothing.

    `free` is a stage that makes no other stale, because what it will write is known: `fingerprints`.
    """
    stale: dict[str, bool] = {}
    params = read_params_file()
    with lock_repo(repo):
        for stage, above in needed.items():
            stale[stage.addressing] = any_stale(above, stale, free) or is_changed(stage, params, fingerprints)
    return stale


def restore_stale(repo: Repo, needed: Needed, free: str) -> tuple[dict[str, bool], list[str]]:
    """Restore every result that DVC has for the present inputs; return what is still stale, and what was restored.

    The stage `free` is run if it is stale. dvc.lock is written once.
    """
    stale: dict[str, bool] = {}
    params = read_params_file()
    restored: list[PipelineStage] = []
    with lock_repo(repo), repo.scm_context(quiet=True):
        for stage, above in needed.items():
            # skip an instance that waits for a stale one, because its inputs are not known yet
            waits = any_stale(above, stale, "")
            stale[stage.addressing] = waits or is_changed(stage, params, {})
            if waits or not stale[stage.addressing] or not stage.cmd:
                continue
            if stage.addressing == free or is_cached(repo, stage):
                stage.reproduce(run_env=RERUN)
                stale[stage.addressing] = False
                restored.append(stage)
        if restored:
            write_lock(repo, restored)
    return stale, [stage.addressing for stage in restored if stage.addressing != free]


def any_stale(stages: list[PipelineStage], stale: dict[str, bool], free: str) -> bool:
    """Tell whether one of some instances is stale, not counting the stage `free`."""
    return any(stale[stage.addressing] for stage in stages if stage.addressing != free)
