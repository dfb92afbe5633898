"""The plan: asked of DVC by the main process when it builds the DAG, read from a file by jobs."""

import functools
import os
import sys
import time
from pathlib import Path

from auxseg.engines import snakemake_internals as internals
from auxseg.engines.controller import is_killed, note_controller
from auxseg.engines.plan_file import PLAN_FILE, join, load_plan, save_plan, stamp_of
from auxseg.engines.resources import growing, stage_resources
from auxseg.errors import EXIT_REFUSED, AuxsegError
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
    if not internals.is_main(workflow):
        return load_plan()
    dry = internals.is_dry(workflow)
    if internals.is_locked() and not dry and is_killed():
        internals.unlock_folder()
        print("an earlier Snakemake was killed here; its lock is removed", file=sys.stderr, flush=True)
    # the marks of another Snakemake, at work or killed: this one may look on but will not run, so its plan stands
    if internals.is_locked() and PLAN_FILE.exists():
        made = time.strftime("%H:%M:%S", time.localtime(PLAN_FILE.stat().st_mtime))
        print(
            f"this is the plan of {made}, of a Snakemake that still runs; if it was killed: snakemake --unlock",
            file=sys.stderr,
            flush=True,
        )
        return load_plan()
    from auxseg.engines.plan import make_plan  # DVC, which a job need not load

    found = or_exit(make_plan, dry)
    save_plan(found)
    if not dry:
        note_controller()
        clear_notes()
    internals.trust_stamps(workflow)  # a stamp says what DVC says
    return found


def upstream_stamps(stage, key):
    """Return the stamps of what an instance needs. `ancient`: whether it is stale is DVC's to say, not mtime's."""
    address = join(stage, key)
    return [ancient(str(stamp_of(needed))) for needed in plan()[address]["deps"]] if address in plan() else []


internals.limit_retries(is_refused)
internals.survive_slurm_outages()


def record():
    """Record what jobs without DVC finished (`pipeline.record: controller`)."""
    from auxseg.engines.plan import record_results

    or_exit(record_results)


onsuccess:
    record()


onerror:
    record()
