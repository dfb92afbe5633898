"""The plan as a file: Snakemake's main process writes it, and its jobs read it without starting DVC."""

import json
from pathlib import Path
from typing import NotRequired, TypedDict

from auxseg.artifacts.atomic import write_json

STATE = Path(".snakemake")
PLAN_FILE = STATE / "dvc-plan.json"
ONLY = "all"
"""Key of a stage with a single instance, whose address in DVC has no @."""


class Task(TypedDict):
    """How to run an instance without DVC, for `pipeline.record: controller`."""

    cmd: str
    inputs: list[str]
    params: list[str]
    outputs: list[str]
    recorded: str
    """Key in the run cache of the entry in dvc.lock; empty if there is no entry."""
    run_cache: str
    """Folder of DVC's run cache."""


class Node(TypedDict):
    """One stage instance of the plan."""

    deps: list[str]
    """Addresses of the instances whose outputs it reads, except `code`, which is up to date before any job starts."""
    stale: bool
    """Whether DVC considers it changed, or something that it needs is stale."""
    task: NotRequired[Task]
    """Present if the instance is stale and its job runs without DVC."""


Plan = dict[str, Node]


def save_plan(plan: Plan) -> None:
    """Write the plan for the jobs; remove the stamps of stale instances and create those of the others."""
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
    plan: Plan = json.loads(PLAN_FILE.read_text("utf-8"))
    return plan


def split(address: str) -> tuple[str, str]:
    """Return stage and key of an address: labels@r1-00 -> (labels, r1-00), prepare -> (prepare, all)."""
    stage, _, key = address.partition("@")
    return stage, key or ONLY


def join(stage: str, key: str) -> str:
    """Return the address of a stage and a key."""
    return stage if key == ONLY else f"{stage}@{key}"


def stamp_of(address: str) -> Path:
    """Return the file that tells Snakemake that an instance is not stale."""
    return STATE / "dvc" / Path(*split(address))
