"""The plan: the main process gets it from DVC when it builds the DAG, and jobs read it from a file."""

import functools
import os
import sys
import time
from pathlib import Path

from auxseg.engines import snakemake_internals as internals
from auxseg.engines.controller import is_killed, note_controller
from auxseg.engines.plan_file import PLAN_FILE, join, load_plan, save_plan, stamp_of
from auxseg.engines.resources import growing, stage_resources
from auxseg.errors import EXIT_REJECTED, AuxsegError
from auxseg.pipeline.rejection import VARIABLE as REJECTION
from auxseg.pipeline.rejection import clear_notes, is_rejected, note_of

# The commands in dvc.yaml start with `python`. This makes it the one that runs Snakemake, even if it is not on PATH.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def or_exit(function, *arguments):
    """Return what `function` returns; print an `AuxsegError` as one line and exit."""
    try:
        return function(*arguments)
    except AuxsegError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(EXIT_REJECTED)


@functools.cache
def plan():
    """Return the plan. Call it only after all rules are read, because until then a dry run cannot be recognised."""
    if not internals.is_main(workflow):
        return load_plan()
    dry = internals.is_dry(workflow)
    if internals.is_locked() and not dry and is_killed():
        internals.unlock_folder()
        print("an earlier Snakemake was killed here; its lock is removed", file=sys.stderr, flush=True)
    # another Snakemake is running here, or was killed: this one may only show the plan, so keep the other's plan
    if internals.is_locked() and PLAN_FILE.exists():
        made = time.strftime("%H:%M:%S", time.localtime(PLAN_FILE.stat().st_mtime))
        print(
            f"this is the plan of {made}, made by a Snakemake that is still running; if it was killed, run "
            "`snakemake --unlock`",
            file=sys.stderr,
            flush=True,
        )
        return load_plan()
    from auxseg.engines.plan import make_plan  # imports DVC, which jobs do not need

    if not dry:
        or_exit(note_controller)
    found = or_exit(make_plan, dry)
    save_plan(found)
    if not dry:
        clear_notes()
    internals.trust_stamps(workflow)  # the stamps hold what DVC said
    return found


def upstream_stamps(stage, key):
    """Return the stamps of what an instance needs; `ancient`, because DVC, not mtime, decides what is stale."""
    address = join(stage, key)
    return [ancient(str(stamp_of(needed))) for needed in plan()[address]["deps"]] if address in plan() else []


internals.limit_retries(is_rejected)
internals.survive_slurm_outages()


def record():
    """Record what jobs without DVC finished (`pipeline.record: controller`)."""
    from auxseg.engines.plan import record_results

    or_exit(record_results)


onsuccess:
    record()


onerror:
    record()
