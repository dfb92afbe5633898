"""What DVC knows of stage instances: which needs which, which changed, and whose result its run cache holds.

DVC's own ways to the first two (`Index.graph`, `Repo.status`) look for cycles edge by edge and lock every file that
they look at: half a minute at a thousand instances, where this takes a few seconds. A test holds the answers against
DVC's.
"""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import networkx
from dvc.dependency import DatasetDependency, Dependency, ParamsDependency, param
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.index import Index
from dvc.stage import Stage

from auxseg.errors import DataError


@contextlib.contextmanager
def params_read_once() -> Iterator[None]:
    """Let DVC parse params.yaml once in the block, not some times for every stage, and find its keys once."""
    load, read = param.load_path, param.read_param_file
    read_once = functools.cache(read)

    def read_any(fs: Any, path: str, keys: list[str] | None = None, flatten: bool = False) -> dict[str, Any]:
        return dict(read_once(fs, path, keys and tuple(keys), flatten))

    param.load_path, param.read_param_file = functools.cache(load), read_any
    try:
        yield
    finally:
        param.load_path, param.read_param_file = load, read


def needs_graph(index: Index) -> networkx.DiGraph:
    """Return all stage instances, with an edge from each to every one whose output it reads.

    Raises:
        DataError: dvc.yaml has a cycle.
    """
    graph = networkx.DiGraph()
    graph.add_nodes_from(index.stages)
    outputs = index.outs_trie
    for stage in index.stages:
        for dependency in stage.deps:
            if isinstance(dependency, DatasetDependency):
                continue
            key = dependency.fs.parts(dependency.fs_path)
            above = [node.value for node in outputs.prefixes(key)]
            below = outputs.values(prefix=key) if outputs.has_subtrie(key) else []
            graph.add_edges_from((stage, output.stage) for output in [*above, *below])
    if not networkx.is_directed_acyclic_graph(graph):
        raise DataError("dvc.yaml: its stages need each other in a circle; `dvc dag` names them")
    return graph


def is_changed(stage: Stage, known: dict[str, str]) -> bool:
    """Tell whether DVC calls an instance changed.

    `known` maps paths to MD5s that need not be computed again: of files about to be written, and of files compared
    for another instance already. Each is held against the recorded MD5; newly computed ones are added.
    """
    if stage.changed_stage() or stage.is_callback or stage.always_changed:
        return True
    dependencies = [] if stage.frozen else stage.deps
    if any(output.status() for output in stage.outs) or any(_is_changed_input(item, known) for item in dependencies):
        return True
    known.update({output.def_path: output.hash_info.value for output in stage.outs})
    return False


def _is_changed_input(dependency: Dependency, known: dict[str, str]) -> bool:
    path, recorded = dependency.def_path, dependency.hash_info.value
    if path in known:
        return known[path] != recorded
    if dependency.status():
        return True
    if not isinstance(dependency, ParamsDependency):  # of which each instance has other keys
        known[path] = recorded
    return False


def is_cached(repo: Repo, stage: Stage) -> bool:
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
