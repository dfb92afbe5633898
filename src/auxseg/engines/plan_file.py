"""The plan as a file: written by Snakemake's main process, read by its jobs, which need not know DVC for it."""

import json
from pathlib import Path
from typing import NotRequired, TypedDict

from auxseg.artifacts.atomic import write_json

STATE = Path(".snakemake")
PLAN_FILE = STATE / "dvc-plan.json"
ONLY = "all"
"""Key of a stage that has one instance, where DVC's address has no @."""


class Task(TypedDict):
    """How to run an instance without DVC, for `pipeline.record: controller`."""

    cmd: str
    inputs: list[str]
    params: list[str]
    outputs: list[str]
    recorded: str
    """Key of the run cache that belongs to the entry in dvc.lock; empty without one."""
    run_cache: str
    """Folder of DVC's run cache."""


class Node(TypedDict):
    """One stage instance of the plan."""

    deps: list[str]
    """Addresses of the instances whose outputs it reads; without `code`, which is fresh before any job starts."""
    stale: bool
    """DVC calls it changed, or something that it needs is stale."""
    task: NotRequired[Task]
    """Of a stale instance, if its job is to run without DVC."""


Plan = dict[str, Node]


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
    """Return the file that tells Snakemake that an instance is fresh."""
    return STATE / "dvc" / Path(*split(address))
