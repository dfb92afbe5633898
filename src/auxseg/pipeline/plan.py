"""What Snakemake needs to know: every stage instance, what it needs, and whether DVC calls it stale.

Snakemake schedules, DVC decides. The plan is made once, by Snakemake's main process; jobs read it from a file.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, TypedDict

import networkx
import yaml
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.stage import Stage

from auxseg.artifacts.atomic import write_json
from auxseg.errors import AuxsegError, DataError
from auxseg.params.registry import check
from auxseg.pipeline.declaration import DVC_FILE
from auxseg.pipeline.fingerprint import expected_files
from auxseg.pipeline.restore import restore_cached

STATE = Path(".snakemake")
PLAN_FILE = STATE / "dvc-plan.json"
ONLY = "all"
"""Key of a stage that has one instance, where DVC's address has no @."""
CODE = "code"


class Node(TypedDict):
    """One stage instance of the plan."""

    deps: list[str]
    """Addresses of the instances whose outputs it reads; without `code`, which is fresh before any job starts."""
    stale: bool
    """DVC calls it changed, or something that it needs is stale."""


Plan = dict[str, Node]


def make_plan(dry: bool) -> Plan:
    """Ask DVC for all stage instances and their state.

    Unless `dry`, the code fingerprints are brought up to date and cached results are checked out first. A dry run
    changes nothing and computes the fingerprints in memory.

    Raises:
        AuxsegError: one line: params.yaml or dvc.yaml is wrong, or DVC cannot read the project.
    """
    check()
    try:
        with Repo(".", _wait_for_lock=True) as repo:
            if not dry:
                if repo.status(targets=[CODE]):
                    _repro(CODE)
                for address in restore_cached(repo):
                    print(f"restored from DVC's run cache: {address}", file=sys.stderr)
            return _ask(repo)
    except DvcException as error:
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        raise DataError(" ".join(f"DVC: {error}{cause}".split())) from error


def save_plan(plan: Plan) -> None:
    """Write the plan for the jobs; remove the stamps of stale instances and make those of fresh ones."""
    write_json(PLAN_FILE, plan)
    for address, node in plan.items():
        stamp = stamp_of(address)
        if node["stale"]:
            stamp.unlink(missing_ok=True)
        elif not stamp.exists():
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.touch()


def load_plan() -> Plan:
    """Read the plan that the main process wrote."""
    return json.loads(PLAN_FILE.read_text())


def stage_needs(path: Path = DVC_FILE) -> dict[str, dict[str, Any]]:
    """Return what each stage needs of a cluster, as dvc.yaml's `meta` says: gpu, cpus, mem_mb, runtime (minutes)."""
    stages = yaml.safe_load(path.read_text())["stages"]
    return {name: body.get("do", body).get("meta") or {} for name, body in stages.items()}


def split(address: str) -> tuple[str, str]:
    """Return stage and key of an address: labels@r1-00 -> (labels, r1-00), prepare -> (prepare, all)."""
    stage, _, key = address.partition("@")
    return stage, key or ONLY


def join(stage: str, key: str) -> str:
    """Return the address of a stage and a key."""
    return stage if key == ONLY else f"{stage}@{key}"


def stamp_of(address: str) -> Path:
    """Return the file that tells Snakemake that an instance is fresh."""
    return STATE / "dvc" / Path(*split(address))


def _ask(repo: Repo) -> Plan:
    # status comes first: it drops the index that it was asked with
    status = repo.status()
    graph = repo.index.graph
    code = _new_fingerprints(repo) if CODE in status else {}
    plan: Plan = {}
    stale: dict[str, bool] = {}
    for stage in networkx.dfs_postorder_nodes(graph):
        upstream = [needed.addressing for needed in graph.successors(stage)]
        # the fingerprints, not the stage that writes them, decide what a change of the code makes stale
        stale[stage.addressing] = (
            _changed(status.get(stage.addressing, []), code)
            or _code_changed(stage, code)
            or any(stale[address] for address in upstream if address != CODE)
        )
        if stage.cmd:
            plan[stage.addressing] = Node(
                deps=[address for address in upstream if address != CODE], stale=stale[stage.addressing]
            )
    order = {stage.addressing: place for place, stage in enumerate(repo.index.stages)}
    return {address: plan[address] for address in sorted(plan, key=order.__getitem__)}


def _new_fingerprints(repo: Repo) -> dict[str, str]:
    """Return path -> MD5 (as DVC records it) of the fingerprints that the code as it is now would give."""
    outputs = [out.def_path for stage in repo.index.stages if stage.addressing == CODE for out in stage.outs]
    return {path: hashlib.md5(text.encode()).hexdigest() for path, text in expected_files(outputs).items()}


def _changed(entries: list, code: dict[str, str]) -> bool:
    """Tell whether DVC reports more for a stage than a fingerprint file that is about to be written again."""
    for entry in entries:
        if isinstance(entry, str) or set(entry) != {"changed deps"}:
            return True
        if set(entry["changed deps"]) - set(code):
            return True
    return False


def _code_changed(stage: Stage, code: dict[str, str]) -> bool:
    """Tell whether a stage's recorded fingerprint differs from the present code's."""
    return any(
        dependency.def_path in code and dependency.hash_info.value != code[dependency.def_path]
        for dependency in stage.deps
    )


def _repro(address: str) -> None:
    """Run one stage through DVC; what it prints is shown only if it fails."""
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", address]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode:
        lines = [line for line in result.stdout.splitlines() if line.startswith("ERROR")]
        raise AuxsegError("; ".join(line.removeprefix("ERROR: ") for line in lines) or f"stage '{address}' failed")
