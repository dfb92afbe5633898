"""Run one stage instance as a job of Snakemake:

    python -m auxseg.engines.job ADDRESS

With `pipeline.record: job`, DVC runs it in this process: it skips, restores or runs the command and writes dvc.lock.
With `controller`, the command runs without DVC and without locks, and the job leaves a receipt for the controller. DVC
is used only if its cache has the result already, because restoring is faster than computing.
"""

import os
import subprocess
import sys
from pathlib import Path

from auxseg.artifacts.atomic import remove_path, signature
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
from auxseg.engines.repro import repro
from auxseg.engines.termination import end_cleanly
from auxseg.errors import EXIT_FAILED


def main(address: str) -> int:
    """Run an instance and return the exit code."""
    wait = end_cleanly()
    with heartbeat(address):
        try:
            task = load_plan()[address].get("task")
            return run_alone(address, task) if task else _repro(address)
        finally:
            wait()


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
    return repro(["--single-item", address])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
