"""How a stage script runs: arguments, parameters, declared paths, threads, log, errors.

A script in workflow/stages passes its `main(stage)` to `run`. The stage may use only what dvc.yaml declares for it: any
other parameter section or path raises an error, so the DAG is always true (`auxseg.artifacts.store.Permit`).
"""

import argparse
import contextlib
import importlib
import logging
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from auxseg.artifacts.leftovers import remove_leftovers
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Permit, Store
from auxseg.counts import counted
from auxseg.errors import (
    EXIT_FAILED,
    EXIT_REJECTED,
    LINE,
    AuxsegError,
    ChangedError,
    ParamsError,
    ResourceError,
    first_line,
    memory_shortage,
)
from auxseg.params.dag import read_params
from auxseg.params.section import COMPATIBILITY, Section
from auxseg.parent import end_with_parent
from auxseg.pipeline.declaration import declared
from auxseg.pipeline.rejection import leave_note
from auxseg.pipeline.unchanged import Given
from auxseg.torchrun import torchrun_agent, torchrun_rank

P = TypeVar("P", bound=Section)

LOWER_FOR_MEMORY = {
    "classify": "classify.batch_size or classify.augment.crop, or raise classify.accumulate",
    "tag_score": "runtime.max_side",
    "cam": "runtime.max_side or the largest of cam.scales",
    "train": "train.batch_size or train.augment.crop, or raise train.accumulate",
    "propagate": "runtime.max_side or the largest of propagate.scales",
    "evaluate": "runtime.max_side or the largest of evaluate.scales",
}
"""Stage -> the parameters that decide how much GPU memory it needs; an error message names them."""


class Stage:
    """One instance of a stage: its round and shard, its parameters, and the paths it may touch."""

    def __init__(self, name: str, round_name: str = "", shard: str = ""):
        self.name, self.shard = name, shard
        self._round_name = round_name
        self._values = read_params()
        template = {
            "item.round": round_name,
            "item.shard": shard,
            "key": round_name,
            "item": self._values["rounds"].get(round_name, ""),  # of `foreach: ${rounds}`, the map of rounds
        }
        self._declared = declared(name, template)
        self.inputs = Store(permit=Permit(name, "deps", self._declared.inputs))
        """Paths of the declared inputs, as files or inside declared folders."""
        self.outputs = Store(permit=Permit(name, "outs", self._declared.outputs))
        """Paths of the declared outputs."""
        self._given = Given(self.address, self.sections, self._declared.inputs)
        self._check_code: Callable[[], None] = lambda: None

    @property
    def round(self) -> Round:
        """The round of this instance.

        Raises:
            ParamsError: its name is not the name of a round.
        """
        return Round.parse(self._round_name)

    @property
    def key(self) -> str:
        """The instance's name after the @, such as `r1-00`; empty for a stage with a single instance."""
        return "-".join(part for part in (self._round_name, self.shard) if part)

    @property
    def address(self) -> str:
        """DVC's name of the instance, such as labels@r1-00."""
        return f"{self.name}@{self.key}" if self.key else self.name

    def require_own_code(self) -> None:
        """Check that the code is this project's and, if DVC or a job records the result, that of its fingerprint.

        Raises:
            ParamsError: it is the code of another folder.
            ChangedError: it was changed after the run began.
        """
        # imported by name, so that reading code is not part of every stage's code
        own_code = importlib.import_module("auxseg.pipeline.own_code")
        own_code.require_own_package()
        fingerprint = Store().fingerprint(self.name)
        if "DVC_STAGE" in os.environ and fingerprint.as_posix() in self._declared.inputs and fingerprint.is_file():
            self._check_code = own_code.OwnCode(self.name, fingerprint).check

    def reject_orphans(self) -> None:
        """Check that no outputs of rounds and shards are left that params.yaml has no longer, as a stage that reads
        whole folders must.

        Raises:
            DataError: names the first.
        """
        importlib.import_module("auxseg.pipeline.orphans").reject_orphans(self._values)  # not the stage's code either

    def require_unchanged(self) -> None:
        """Check that parameters, inputs and code are those that the stage started with; `run` does so after `main`.

        Raises:
            ChangedError: one of them changed, so DVC must not record the outputs.
        """
        self._given.check()
        self._check_code()

    def params(self, section: type[P]) -> P:
        """Return a validated parameter section.

        Raises:
            ParamsError: dvc.yaml does not declare it for this stage, or a value is wrong.
        """
        for key in (section.key, *([COMPATIBILITY] if section.released else [])):
            if key not in self._declared.sections:
                raise ParamsError(
                    f"dvc.yaml: stage '{self.name}' reads '{key}' without declaring it; add it to its params"
                )
        return section.of(self._values)

    @property
    def shards(self) -> list[str]:
        """All shards, for `prepare`, which splits the images; other stages know their own shard or read the manifest.

        Raises:
            ParamsError: dvc.yaml does not declare `shards` for this stage.
        """
        if "shards" not in self._declared.sections:
            raise ParamsError(
                f"dvc.yaml: stage '{self.name}' reads 'shards' without declaring it; add it to the stage's params"
            )
        return list(self._values["shards"])

    @property
    def input_paths(self) -> list[Path]:
        """All declared inputs, files and folders."""
        return sorted(Path(path) for path in self._declared.inputs)

    @property
    def sections(self) -> dict[str, Any]:
        """All declared parameter sections, with their values from params.yaml."""
        return {section: self._values.get(section) for section in sorted(self._declared.sections)}

    @property
    def log_path(self) -> Path:
        """Log of this instance; ignored by git, never an output."""
        return Path("logs") / self.name / f"{self.key or 'all'}.log"


def run(name: str, main: Callable[[Stage], None], *, rounds: bool = False, shards: bool = False) -> None:
    """Find out the round and shard, run `main`, and turn an `AuxsegError` into one line and exit code 2."""
    round_name, shard = _instance(name, rounds, shards)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")  # until the log has its file
    started = time.monotonic()
    _allow_open_files()
    _quieten_the_tracker()
    try:
        # check all sections early; imported by name, because other stages' parameters are not this one's code
        importlib.import_module("auxseg.params.registry").check()
        stage = Stage(name, round_name, shard)
        rank = torchrun_rank()
        _end_with_starter(rank)
        _start_log(stage.log_path, rank)
        if rank is None:
            left = remove_leftovers(map(Path, stage._declared.outputs))
            if left:
                files = counted(len(left), "file")
                logging.info("removed %s that a killed process left half-written (first: %s)", files, left[0])
        if rank is None and name != "code":
            _log_position(stage)
        if rank is None:
            stage.require_own_code()
        main(stage)
        stage.require_unchanged()
        if rank is None:  # otherwise the process that started torchrun does
            _log_cost(stage, time.monotonic() - started)
    except (ChangedError, ResourceError) as error:
        logging.error("%s", error)
        sys.exit(EXIT_FAILED)
    except AuxsegError as error:
        logging.error("%s", error)
        leave_note(str(error))
        sys.exit(EXIT_REJECTED)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:  # a read-only folder, a folder for a file
            logging.error("%s: %s; fix that, then run the same command again", error.filename, error.strerror)
        elif place := memory_shortage(error):
            logging.error(
                "params.yaml: %s has too little memory; %s (%s)", place, _less(name, place), first_line(error, LINE)
            )
        else:
            logging.critical("stage %s failed\n%s", name, traceback.format_exc())
        sys.exit(EXIT_FAILED)


def _instance(name: str, rounds: bool, shards: bool) -> tuple[str, str]:
    """Return round and shard from the command line or, if it has none, from DVC_STAGE; "" for one the stage lacks.

    Not from a `cmd` with templates, because a shell would run what params.yaml has as the name of a round.
    """
    stage, _, key = os.environ.get("DVC_STAGE", "").partition("@")
    parts = key.split("-") if stage == name else []
    known = dict(zip([*(["round"] if rounds else []), *(["shard"] if shards else [])], parts, strict=False))
    parser = argparse.ArgumentParser(
        prog=f"workflow/stages/{name}.py",
        description=sys.modules["__main__"].__doc__,
        epilog="DVC and Snakemake pass the round and the shard in DVC_STAGE." if rounds or shards else None,
    )
    for wanted, option, metavar, text in (
        (rounds, "round", "rN", "round of the labels or the network"),
        (shards, "shard", "NN", "slice of the images"),
    ):
        if wanted:
            default = known.get(option)
            parser.add_argument(f"--{option}", required=default is None, default=default, metavar=metavar, help=text)
    arguments = parser.parse_args()
    return getattr(arguments, "round", ""), getattr(arguments, "shard", "")


def _less(name: str, place: str) -> str:
    lower = LOWER_FOR_MEMORY.get(name, "runtime.max_side")
    if place == "the GPU" or name in LOWER_FOR_MEMORY:
        return f"lower {lower}"
    side = "lower labels.crf_side, or " if name == "labels" else ""
    return f"{side}run fewer processes: LOKY_MAX_CPU_COUNT=1"


def _allow_open_files() -> None:
    """Raise the soft limit on open files to the hard one, because `train` opens two archives per shard."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError):  # macOS reports "unlimited" but allows less
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _quieten_the_tracker() -> None:
    """Let Python remove the semaphores of a killed stage without a warning; that process reads the environment."""
    own = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join([*([own] if own else []), "ignore:resource_tracker"])


def _end_with_starter(rank: int | None) -> None:
    """Stop as at SIGTERM, with a checkpoint, when the torchrun, DVC or job that started this is killed.

    Nobody would record the result, and the next run would compute it at the same time. A stage started by hand
    continues.
    """
    if rank is not None:
        end_with_parent(torchrun_agent(), signal.SIGTERM)
    elif "DVC_STAGE" in os.environ:
        end_with_parent(os.getppid(), signal.SIGTERM)


def _start_log(path: Path, rank: int | None) -> None:
    logging.raiseExceptions = False  # a log that cannot be written, on a full disk, is no reason for a traceback
    to_terminal = logging.StreamHandler()
    to_terminal.setFormatter(logging.Formatter(f"%(levelname)s: {f'process {rank}: ' if rank else ''}%(message)s"))
    to_terminal.setLevel("ERROR" if rank else _log_level())
    handlers: list[logging.Handler] = [to_terminal]
    if not rank:
        path.parent.mkdir(parents=True, exist_ok=True)
        if rank is None:
            path.unlink(missing_ok=True)
        handlers.append(logging.FileHandler(path, mode="a"))  # two processes append: torchrun's first, and its parent
        handlers[-1].setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)


def _log_level() -> str:
    level = os.environ.get("AUXSEG_LOG", "INFO").upper()
    return level if level in logging.getLevelNamesMapping() else "INFO"


def _log_position(stage: Stage) -> None:
    """Log the position of this instance in the run and the time left. An error here does not fail the stage."""
    try:
        # imported by name, so that it is not part of the stage's code: it only writes this line
        line = importlib.import_module("auxseg.engines.progress").position_line(stage._values, stage.name, stage.key)
    except Exception:
        logging.debug("the position in the run is unknown", exc_info=True)
    else:
        if line:
            logging.info(line)


def _log_cost(stage: Stage, seconds: float) -> None:
    """Log wall time, CPU time and peak memory, and append them to logs/times.csv, which is not an artifact."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(one.ru_utime + one.ru_stime for one in usage)
    # peak of the largest process; ru_maxrss is in kB on Linux, in bytes on macOS
    peak = max(one.ru_maxrss for one in usage) * (1 if sys.platform == "darwin" else 1024) / 1e6
    logging.info("%s: %.1f s (CPU %.1f s), peak memory %.0f MB", stage.address, seconds, cpu, peak)
    # the outputs are written; a full disk must not turn that into a failure
    with contextlib.suppress(OSError), Path("logs/times.csv").open("a") as stream:
        stream.write(f"{stage.name},{stage.key},{seconds:.1f},{cpu:.1f},{peak:.0f}\n")
