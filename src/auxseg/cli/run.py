"""`auxseg run`: check params.yaml, run everything that is out of date with DVC, and print the result table.

DVC's output is passed on line by line, without its hints about git and `dvc push`. Progress bars go to standard error,
which DVC and the stages share with this process.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from auxseg.artifacts.store import Store
from auxseg.cli.check import check_file
from auxseg.cli.next_step import has_run, print_next
from auxseg.cli.table import print_table
from auxseg.errors import ParamsError
from auxseg.params.dag import PARAMS_FILE, read_params
from auxseg.params.data import DataParams
from auxseg.params.local import data_root
from auxseg.params.section import suggest
from auxseg.pipeline.instances import instances

DVC = (sys.executable, "-m", "auxseg.engines.repro")
PUSH_HINT = b"Use `dvc push` to send your updates to remote storage."
COMMAND_HINTS = (b"To track the changes with git, run:", b"To enable auto staging, run:")
"""Each is followed by an empty line and the command, which is indented."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the targets."""
    parser.description = "After an error, a Ctrl-C or a shutdown, the same command continues where this one stopped."
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help="stages as DVC names them, e.g. labels or train@r1; default: all"
    )


def run(arguments: argparse.Namespace) -> int:
    """Check, run, print the table; return DVC's exit code if it failed, 128 + the signal if one stopped it."""
    check_file(PARAMS_FILE)
    _check_targets(arguments.targets)
    if not has_run():  # otherwise results may be there, and nothing may need the images
        data_root(DataParams.parse(read_params().get(DataParams.key)).format)
    again = " ".join(["auxseg run", *arguments.targets])
    made_table = not arguments.targets or bool({"summary", "audit"} & set(arguments.targets))
    code = run_dvc(arguments.targets)
    if code < 0:
        print(f"stopped; `{again}` continues from there", file=sys.stderr)
        return 128 - code
    if code:
        print(f"error: dvc repro failed, see above (exit code {code}); `{again}` continues from there", file=sys.stderr)
    elif made_table and Store().table("rounds.csv").exists():
        print()
        print_table()
    else:  # only other stages ran, so the table may be from an earlier run
        print_next("auxseg run, which runs the other stages too")
    return code


def _check_targets(targets: Iterable[str]) -> None:
    """Check that every target is a stage or one of its instances, so that a typo starts nothing.

    Paths, and other forms that DVC accepts (`dvc.yaml:labels`), are left to DVC.

    Raises:
        ParamsError: names the nearest stage.
    """
    listed = instances(read_params())
    addresses, stages = [one.address for one in listed], list(dict.fromkeys(one.stage for one in listed))
    for target in targets:
        stage, is_instance, _ = target.partition("@")
        if target in (*addresses, *stages) or "/" in target or ":" in target or Path(target).exists():
            continue
        if is_instance and stage in stages:
            own = [address for address in addresses if address.startswith(f"{stage}@")] or [stage]
            raise ParamsError(f"{target}: no such instance of a stage; {suggest(target, own, 'ones')}")
        raise ParamsError(f"{target}: no such stage; {suggest(stage, stages, 'stages')}")


def run_dvc(arguments: list[str]) -> int:
    """Run `dvc repro` with targets and pass its output on.

    Returns:
        Its exit code, or minus the signal that stopped it or this process.
    """
    # stages call `python`, which must be this one even if the virtual environment is not activated
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    # otherwise a pipe is buffered, and lines would come minutes late
    environment = {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}
    sys.stdout.flush()
    process = subprocess.Popen(
        [*DVC, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment, process_group=0
    )
    with process, _Signals(process) as signals:
        assert process.stdout is not None  # a pipe
        for line in without_hints(process.stdout):
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
        code = process.wait()
    return -signals.received or code


def without_hints(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield DVC's lines without its hints and the empty lines around them."""
    empty: list[bytes] = []
    in_hint = False
    for line in lines:
        text = line.strip()
        if not text:
            empty.append(line)  # held back until the next line is known
            continue
        in_command = in_hint and line[:1].isspace()
        if text == PUSH_HINT or text in COMMAND_HINTS or in_command:
            in_hint = True
            empty.clear()
            continue
        if not in_hint:
            yield from empty
        empty.clear()
        in_hint = False
        yield line
    if not in_hint:
        yield from empty


class _Signals:
    """A context in which a signal stops the command that this process waits for, and not this process.

    The command has a process group of its own, so a terminal's Ctrl-C reaches only this process. It passes every signal
    on as SIGTERM, at which a training saves its state, and no process prints a traceback.
    """

    def __init__(self, process: subprocess.Popen[bytes]):
        self.received = 0
        """The last signal received, or 0."""
        self._process = process
        self._before: dict[int, Callable[[int, FrameType | None], Any] | int | None] = {}

    def __enter__(self) -> "_Signals":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # set by `nohup`, or by a shell for a background job
                self._before[number] = signal.signal(number, self._pass_on)
        self._before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, self._suspend)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        self._process.terminate()

    def _suspend(self, number: int, frame: FrameType | None) -> None:
        """Suspend both at Ctrl-Z; this continues when the shell wakes this process."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGSTOP)
            os.killpg(self._process.pid, signal.SIGCONT)
