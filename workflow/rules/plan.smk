"""The plan: asked of DVC by the main process when it builds the DAG, read from a file by jobs."""

import functools
import os
import sys
import time
from pathlib import Path

from snakemake.jobs import Job
from snakemake.settings.enums import RerunTrigger

from auxseg.errors import EXIT_REFUSED, AuxsegError
from auxseg.pipeline.needs import growing, stage_needs
from auxseg.pipeline.patience import when_slurm_answers
from auxseg.pipeline.plan_file import PLAN_FILE, join, load_plan, save_plan, stamp_of
from auxseg.pipeline.refusal import VARIABLE as REFUSAL
from auxseg.pipeline.refusal import clear_notes, is_refused, note_of

# The commands of dvc.yaml say `python`: it is the one that runs Snakemake, with or without its folder on PATH.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def or_exit(function, *arguments):
    """Return what `function` returns; a refusal is one line and the end."""
    try:
        return function(*arguments)
    except AuxsegError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(EXIT_REFUSED)


@functools.cache
def plan():
    """Return the plan. First asked for by the inputs of `all`: while rules are read, a dry run is not known yet."""
    if not workflow.is_main_process:
        return load_plan()
    # the marks of another Snakemake, at work or killed: this one may look on but will not run, so its plan stands
    if any(Path(".snakemake/locks").glob("*")) and PLAN_FILE.exists():
        made = time.strftime("%H:%M:%S", time.localtime(PLAN_FILE.stat().st_mtime))
        print(
            f"this is the plan of {made}, of a Snakemake that still runs; if it was killed: snakemake --unlock",
            file=sys.stderr,
            flush=True,
        )
        return load_plan()
    from auxseg.pipeline.plan import make_plan  # DVC, which a job need not load

    # without an executor (--dag, --summary) nothing runs either; --touch only renews stamps
    dry = workflow.executor_plugin is None or workflow.dryrun or workflow.touch
    found = or_exit(make_plan, dry)
    save_plan(found)
    if not dry:
        clear_notes()
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


def restarts(job):
    """Return how often a job may be tried again; asked when it has failed. What refused its input is not."""
    return 0 if is_refused(job.rule.name, job.wildcards.key) else job.rule.restart_times


# `retries` of a rule is a number, and which of its jobs refuse is known only then.
Job.restart_times = property(restarts)


# where the plugin is installed, Snakemake has imported it by now
if slurm := sys.modules.get("snakemake_executor_plugin_slurm"):
    slurm.Executor.check_active_jobs = when_slurm_answers(slurm.Executor.check_active_jobs)


def record():
    """Record what jobs without DVC finished (`pipeline.record: controller`)."""
    from auxseg.pipeline.plan import record_results

    or_exit(record_results)


onsuccess:
    record()


onerror:
    record()
