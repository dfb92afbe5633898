"""The plan: asked of DVC by the main process when it builds the DAG, read from a file by jobs."""

import functools
import os
import sys
from pathlib import Path

from snakemake.settings.enums import RerunTrigger

from auxseg.errors import AuxsegError
from auxseg.pipeline.plan import join, load_plan, make_plan, save_plan, stage_needs, stamp_of

# The commands of dvc.yaml say `python`: it is the one that runs Snakemake, with or without its folder on PATH.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


@functools.cache
def plan():
    """Return the plan. First asked for by the inputs of `all`: while rules are read, a dry run is not known yet."""
    if not workflow.is_main_process:
        return load_plan()
    # without an executor (--dag, --summary) nothing runs either; --touch only renews stamps
    dry = workflow.executor_plugin is None or workflow.dryrun or workflow.touch
    try:
        found = make_plan(dry)
    except AuxsegError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(2)
    save_plan(found)
    # A stamp says what DVC says. What Snakemake remembers of earlier jobs (inputs, parameters, code, whether one was
    # killed) must not re-run what is fresh.
    workflow.dag_settings.rerun_triggers = frozenset({RerunTrigger.MTIME})
    workflow.dag_settings.force_incomplete = True
    workflow.dag.ignore_incomplete = True
    return found


def upstream_stamps(stage, key):
    """Return the stamps of what an instance needs. `ancient`: whether it is stale is DVC's to say, not mtime's."""
    address = join(stage, key)
    return [ancient(str(stamp_of(needed))) for needed in plan()[address]["deps"]] if address in plan() else []
