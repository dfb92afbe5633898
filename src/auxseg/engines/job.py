"""Run one stage instance as a job of Snakemake:

    python -m auxseg.engines.job ADDRESS

With `pipeline.record: job`, DVC runs it in this process: it skips, restores or runs the command and writes dvc.lock.
With `controller`, the command runs without DVC and without locks, and the job leaves a receipt for the controller. DVC
is used only if its cache has the result already, because restoring is faster than computing.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import psutil

from auxseg.artifacts.atomic import remove_path, signature
from auxseg.engines.dvc_internals import WRITES_IN_PLACE, run_dvc
from auxseg.engines.heartbeat import heartbeat
from auxseg.engines.plan_file import Task, load_plan
from auxseg.engines.receipts import (
    Receipt,
    before,
    cache_key,
    digest,
    is_done,
    read_sections,
    receipt_path,
    times,
    write_receipt,
)
from auxseg.errors import EXIT_FAILED, EXIT_TERMINATED

told: list[psutil.Process] = []
"""Processes that were sent SIGTERM. All are kept, because a shell may end long before the command that it started."""

SECONDS_BETWEEN_TRIES = 0.2


def main(address: str) -> int:
    """Run an instance and return the exit code."""
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, _terminate)
    with heartbeat(address):
        try:
            task = load_plan()[address].get("task")
            return run_alone(address, task) if task else _repro(address)
        finally:
            # wait: a batch system kills what outlives the job, even while it writes a checkpoint
            while any(map(_is_at_work, told)):
                time.sleep(SECONDS_BETWEEN_TRIES)


def run_alone(address: str, task: Task) -> int:
    """Run the command without DVC and leave a receipt, unless DVC knows the result; return the exit code."""
    touched = signature(task["inputs"])
    receipt = before(address, task)
    if is_done(receipt, task["outputs"]):
        print(f"'{address}' was done by a job of an earlier run; its result is not recorded yet", flush=True)
        return 0
    receipt_path(address).unlink(missing_ok=True)
    if _is_known(receipt, task):
        return _repro(address)
    for output in map(Path, task["outputs"]):  # as DVC does, so that a command never finds its old outputs
        remove_path(output)
    print(f"Running stage '{address}' without DVC:\n> {task['cmd']}", flush=True)
    environment = {**os.environ, "DVC_STAGE": address, "DVC_ROOT": str(Path.cwd())}
    code = subprocess.run(task["cmd"], shell=True, env=environment, check=False).returncode
    if code:
        return code if code > 0 else 128 - code
    if signature(task["inputs"]) != touched or read_sections(task["params"]) != receipt["params"]:
        print(f"ERROR: an input or parameter of '{address}' changed while it ran; run again", file=sys.stderr)
        return EXIT_FAILED
    missing = [output for output in task["outputs"] if not Path(output).exists()]
    if missing:
        print(f"ERROR: the command of '{address}' did not write {missing[0]}", file=sys.stderr)
        return EXIT_FAILED
    receipt["files"] = times([output for output in task["outputs"] if Path(output).is_file()])
    receipt["outputs"] = {output: digest(Path(output)) for output in task["outputs"]}
    write_receipt(receipt)
    return 0


def _is_known(receipt: Receipt, task: Task) -> bool:
    key = cache_key(receipt, task["outputs"])
    return key == task["recorded"] or Path(task["run_cache"], key[:2], key).is_dir()


def _repro(address: str) -> int:
    return run_dvc(["--wait-for-lock", "repro", "--single-item", address])


def _terminate(number: int, frame: FrameType | None) -> None:
    """End at SIGTERM, which a batch system sends before it kills.

    A running command gets the signal too; it may save its state, and when it ends, this process ends. Without a
    command, the exception makes DVC release its locks. (A killed process would keep hard-link locks forever.) It is not
    raised while DVC writes a lock or dvc.lock, because DVC writes them in place.
    """
    children = psutil.Process().children(recursive=True)
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            child.terminate()
    told.extend(children)
    if not children:
        if _is_writing(frame):
            signal.setitimer(signal.ITIMER_REAL, SECONDS_BETWEEN_TRIES)
        else:
            sys.exit(EXIT_TERMINATED)


def _is_at_work(process: psutil.Process) -> bool:
    try:
        # in a container, an ended process whose parent is gone may stay a zombie, because no process collects it
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_writing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name in WRITES_IN_PLACE:
            return True
        frame = frame.f_back
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
