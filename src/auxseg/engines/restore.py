"""Which stage instances are stale; and those whose results DVC's run cache holds are not, because they come back.

`dvc repro` restores stage by stage when it comes to each; a scheduler has to know before it submits, so that a result
that exists never waits in a cluster's queue.
"""

import networkx

from auxseg.engines.dvc_internals import PipelineStage, Repo, is_cached, lock_repo
from auxseg.engines.receipts import read_params_file
from auxseg.engines.record import write_lock
from auxseg.engines.states import is_changed

RERUN = {"AUXSEG_LOG": "WARNING"}
"""Environment of a stage that is run here: its log is not the scheduler's."""


def find_stale(repo: Repo, graph: networkx.DiGraph, free: str, fingerprints: dict[str, str]) -> dict[str, bool]:
    """Tell of every instance whether DVC calls it changed or something that it needs is; nothing is touched.

    `free` is the stage whose being stale makes no other stale: what it writes is known, as `fingerprints`.
    """
    stale: dict[str, bool] = {}
    params = read_params_file()
    with lock_repo(repo):
        for stage in _in_order(graph):
            stale[stage.addressing] = _below(stage, graph, stale, free) or is_changed(stage, params, fingerprints)
    return stale


def restore_stale(repo: Repo, graph: networkx.DiGraph, free: str) -> tuple[dict[str, bool], list[str]]:
    """Tell the same after bringing back every result that is known for its present inputs, and those addresses.

    The stage `free` is run if it has to be. dvc.lock is written once.
    """
    stale: dict[str, bool] = {}
    params = read_params_file()
    restored: list[PipelineStage] = []
    with lock_repo(repo), repo.scm_context(quiet=True):
        for stage in _in_order(graph):
            # a stage below one that has to run is left alone: its inputs are not known yet
            below = _below(stage, graph, stale, "")
            stale[stage.addressing] = below or is_changed(stage, params, {})
            if below or not stale[stage.addressing] or not stage.cmd:
                continue
            if stage.addressing == free or is_cached(repo, stage):
                stage.reproduce(run_env=RERUN)
                stale[stage.addressing] = False
                restored.append(stage)
        if restored:
            write_lock(repo, restored)
    return stale, [stage.addressing for stage in restored if stage.addressing != free]


def _in_order(graph: networkx.DiGraph) -> list[PipelineStage]:
    # an edge leads from a stage to one that it needs, so the needed one comes first here
    return list(networkx.dfs_postorder_nodes(graph))


def _below(stage: PipelineStage, graph: networkx.DiGraph, stale: dict[str, bool], free: str) -> bool:
    return any(stale[needed.addressing] for needed in graph.successors(stage) if needed.addressing != free)
