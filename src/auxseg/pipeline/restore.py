"""Check out what DVC's run cache holds, so that a result that exists never waits in a cluster's queue.

`dvc repro` does the same stage by stage when it comes to each; a scheduler has to know before it submits.
"""

import networkx
from dvc.exceptions import DvcException
from dvc.repo import Repo, lock_repo
from dvc.stage import Stage


def restore_cached(repo: Repo) -> list[str]:
    """Restore every changed stage whose result is known for its present inputs; return their addresses.

    A stage below one that has to run is left alone: its inputs are not known yet.
    """
    restored: list[str] = []
    to_run: set[str] = set()
    with lock_repo(repo), repo.scm_context(quiet=True):
        graph = repo.index.graph
        # an edge of DVC's graph leads from a stage to one that it needs, so the needed one comes first here
        for stage in networkx.dfs_postorder_nodes(graph):
            if any(upstream.addressing in to_run for upstream in graph.successors(stage)):
                to_run.add(stage.addressing)
            elif not stage.changed():
                continue
            elif stage.cmd and _is_cached(repo, stage):
                stage.reproduce()
                stage.dump(update_pipeline=False)
                restored.append(stage.addressing)
            else:
                to_run.add(stage.addressing)
    return restored


def _is_cached(repo: Repo, stage: Stage) -> bool:
    """Tell whether `stage.reproduce()` would find its result instead of running the command.

    The same two questions as in DVC's `StageCache.restore`, whose dry form asks with the inputs of the last run.
    """
    if not stage.changed_stage() and stage.deps_cached() and all(out.hash_info for out in stage.outs):
        return stage.outs_cached()
    before = [(dependency, dependency.hash_info, dependency.meta) for dependency in stage.deps]
    try:
        stage.save_deps()
        entry = repo.stage_cache._load(stage)
        return bool(entry) and repo.stage_cache._create_stage(entry, wdir=stage.wdir).outs_cached()
    except (DvcException, AssertionError):  # an input is missing, or the stage is of a kind that is never cached
        return False
    finally:
        for dependency, hash_info, meta in before:
            dependency.hash_info, dependency.meta = hash_info, meta
