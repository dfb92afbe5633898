"""Run `dvc repro` for `auxseg run`, after repairs, and so that a signal leaves nothing half-written:

python -m auxseg.engines.repro TARGET ...
"""

import sys
import time

from auxseg.engines.dvc_internals import noticing_busy_files, run_dvc
from auxseg.engines.heartbeat import reject_running, run_heartbeat, running_elsewhere, running_jobs
from auxseg.engines.recovery import repair_project
from auxseg.engines.termination import end_cleanly
from auxseg.errors import EXIT_REJECTED, EXIT_TERMINATED, AuxsegError
from auxseg.params.dag import PARAMS_FILE, read_params
from auxseg.params.pipeline import PipelineParams

SECONDS_BETWEEN_TRIES = 5.0


def main(targets: list[str]) -> int:
    """Repair the project, run the targets and return the exit code."""
    wait = end_cleanly(quiet=True)
    try:
        for line in repair_project():
            print(f"cleared {line}", file=sys.stderr, flush=True)
        with run_heartbeat():  # first, so that of two that start together at least one sees the other
            reject_running(running_elsewhere())  # to DVC, process ids of another machine are those of dead processes
            _settle_controller()
            code = repro(targets)
    except AuxsegError as error:
        print(f"error: {error}", file=sys.stderr)
        code = EXIT_REJECTED
    finally:
        terminated = wait()
    # DVC calls a stage that the signal ended a failed one
    return EXIT_TERMINATED if terminated and code else code


def _settle_controller() -> None:
    """With `pipeline.record: controller`, record what Snakemake's jobs finished; DVC would remove and recompute it.

    Raises:
        DataError: such a job is still running; it takes none of DVC's locks.
    """
    if PARAMS_FILE.is_file() and PipelineParams.parse(read_params().get(PipelineParams.key)).record == "controller":
        from auxseg.engines.plan import record_results  # jobs import this module, and need no plan

        reject_running(running_jobs())
        record_results()


def repro(arguments: list[str]) -> int:
    """Run `dvc repro` and return its exit code.

    If it needs a file that a stage of another run is using, it waits for that run and starts again.
    """
    waited = False
    while True:
        with noticing_busy_files() as busy:
            code = run_dvc(["--wait-for-lock", "repro", *arguments])
        if not busy:
            return code
        if not waited:
            print(f"waiting for another run: {busy[0]}", file=sys.stderr, flush=True)
        waited = True
        time.sleep(SECONDS_BETWEEN_TRIES)
        repair_project()  # the other run may be dead, and its process id another process's


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
