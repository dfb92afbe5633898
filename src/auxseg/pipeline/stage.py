"""How a stage script runs: arguments, parameters, declared paths, threads, log, errors.

A script in workflow/stages is a `main(stage)` handed to `run`. The stage may read what dvc.yaml declares for it and
nothing else: another parameter section or path is an error, so the DAG cannot lie.
"""

import argparse
import logging
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from auxseg.errors import AuxsegError, ParamsError
from auxseg.params.dag import read_params
from auxseg.params.section import Section
from auxseg.pipeline.declaration import declared

P = TypeVar("P", bound=Section)

EXIT_REFUSED = 2
"""Exit code of bad input or parameters: trying again cannot help."""


class Stage:
    """One instance of a stage: its round and shard, its parameters, and the paths it may touch."""

    def __init__(self, name: str, round_name: str = "", shard: str = ""):
        self.name, self.round, self.shard = name, round_name, shard
        self._values = read_params()
        self.previous: str = self._values["rounds"].get(round_name, "")
        """The round whose labels and weights `train` starts from."""
        template = {
            "item.round": round_name, "item.shard": shard, "key": round_name,
            # foreach over a list has the value as ${item}, foreach over the map of rounds the previous round
            "item": self.previous if name == "train" else round_name,
        }  # fmt: skip
        self._declared = declared(name, template)
        self._asked: set[str] = set()

    @property
    def key(self) -> str:
        """The instance's name after the @, as `r1-00`; empty for a stage that has one instance."""
        return "-".join(part for part in (self.round, self.shard) if part)

    def params(self, section: type[P]) -> P:
        """Return a validated parameter section.

        Raises:
            ParamsError: dvc.yaml does not declare it for this stage, or a value is wrong.
        """
        if section.key not in self._declared.sections:
            raise ParamsError(
                f"dvc.yaml: stage '{self.name}' reads '{section.key}' without declaring it; add it to its params"
            )
        return section.parse(self._values.get(section.key))

    @property
    def shards(self) -> list[str]:
        """All shards, for the one stage that lays them out; the others know their own or read the manifest.

        Raises:
            ParamsError: dvc.yaml does not declare `shards` for this stage.
        """
        if "shards" not in self._declared.sections:
            raise ParamsError(
                f"dvc.yaml: stage '{self.name}' reads 'shards' without declaring it; add it to the stage's params"
            )
        return list(self._values["shards"])

    def input(self, path: str) -> Path:
        """Return a declared input (a dep, or a path inside a declared folder)."""
        return self._checked(path, self._declared.inputs, "deps")

    def output(self, path: str) -> Path:
        """Return a declared output."""
        return self._checked(path, self._declared.outputs, "outs")

    def _checked(self, path: str, allowed: frozenset[str], kind: str) -> Path:
        if not any(path == entry or path.startswith(entry + "/") for entry in allowed):
            raise ParamsError(f"dvc.yaml: stage '{self.name}' uses '{path}' without declaring it; add it to its {kind}")
        return Path(path)

    @property
    def log_path(self) -> Path:
        """Log of this instance; ignored by git, never an output."""
        return Path("logs") / self.name / f"{self.key or 'all'}.log"


def run(name: str, main: Callable[[Stage], None], *, rounds: bool = False, shards: bool = False) -> None:
    """Parse the arguments, run `main`, and turn a refusal into one line and exit code 2."""
    parser = argparse.ArgumentParser(prog=f"workflow/stages/{name}.py", description=sys.modules["__main__"].__doc__)
    if rounds:
        parser.add_argument("--round", required=True, metavar="rN", help="round of the labels or the network")
    if shards:
        parser.add_argument("--shard", required=True, metavar="NN", help="slice of the images")
    arguments = parser.parse_args()
    started = time.monotonic()
    try:
        stage = Stage(name, getattr(arguments, "round", ""), getattr(arguments, "shard", ""))
        _start_log(stage.log_path)
        main(stage)
        _log_cost(name, stage.key, time.monotonic() - started)
    except AuxsegError as error:
        logging.error("%s", error)
        sys.exit(EXIT_REFUSED)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception:
        logging.critical("stage %s failed\n%s", name, traceback.format_exc())
        sys.exit(1)


def _start_log(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    to_file = logging.FileHandler(path, mode="w")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    to_terminal = logging.StreamHandler()
    to_terminal.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    to_terminal.setLevel(os.environ.get("AUXSEG_LOG", "INFO"))
    logging.basicConfig(level=logging.INFO, handlers=[to_file, to_terminal], force=True)


def _log_cost(name: str, key: str, seconds: float) -> None:
    """Append wall time and peak memory to logs/times.csv: never part of an artifact, read by benchmarks."""
    # of the largest process; ru_maxrss is in kB on Linux, in bytes on macOS
    unit = 1 if sys.platform == "darwin" else 1024
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) * unit
    logging.info("%s: %.1f s, peak memory %.0f MB", f"{name}@{key}" if key else name, seconds, peak / 1e6)
    with Path("logs/times.csv").open("a") as stream:
        stream.write(f"{name},{key},{seconds:.1f},{peak / 1e6:.0f}\n")
