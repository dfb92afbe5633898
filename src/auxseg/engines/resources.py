"""The resources of each stage's jobs, from the stage's `meta` in dvc.yaml and how training is split over processes.

Settings of a site (partition, account, kinds of GPU) belong in a profile instead.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from auxseg.params.dag import PARAMS_FILE, read_params
from auxseg.pipeline.declaration import DVC_FILE, read_stages

Resources = dict[str, int | str]


def stage_resources(dvc_file: Path = DVC_FILE, params_file: Path = PARAMS_FILE) -> dict[str, Resources]:
    """Return what a job of each stage requests, by Snakemake's names of resources.

    These are cpus_per_task, mem_mb, runtime (minutes; both for the first attempt), with GPUs gpu (all nodes together)
    and nodes, and on several nodes Slurm's options for the layout. CPUs and memory are per node. A stage whose
    parameter section has `devices` and `nodes` runs one process per device, and each process needs what `meta` says.

    Raises:
        ParamsError: one line: params.yaml is wrong.
    """
    values = read_params(params_file)
    return {
        name: _resources(body.get("do", body).get("meta") or {}, values.get(name))
        for name, body in read_stages(dvc_file).items()
    }


def _resources(meta: dict[str, Any], section: Any) -> Resources:
    split = section if isinstance(section, dict) else {}
    devices, nodes = (value if isinstance(value := split.get(key, 1), int) else 1 for key in ("devices", "nodes"))
    asked: Resources = {"cpus_per_task": meta.get("cpus", 1) * devices}
    if "mem_mb" in meta:
        asked["mem_mb"] = meta["mem_mb"] * devices
    if "runtime" in meta:
        asked["runtime"] = meta["runtime"]
    if "gpu" in meta:
        # Slurm: one task, which starts a process per GPU itself; 0 keeps the plugin from requesting a task per GPU, and
        # without a number of nodes, Slurm may spread the GPUs over several
        asked |= {"gpu": meta["gpu"] * devices * nodes, "tasks_per_gpu": 0, "nodes": nodes}
    if nodes > 1:
        # Slurm: one task per node and the same number of GPUs on each; with `mpi`, the stage calls srun itself
        per_node = f"--ntasks-per-node=1 --gpus-per-node={meta.get('gpu', 0) * devices}"
        asked |= {"nodes": nodes, "tasks": nodes, "mpi": "srun", "slurm_extra": per_node}
    return asked


def growing(first: int) -> Callable[[Any, int], int]:
    """Return a Snakemake resource that is `first` at the first attempt, twice that at the second, and so on."""
    return lambda wildcards, attempt: first * attempt
