"""Checkpoints, from which a killed training resumes. Never an output: .auxseg/checkpoints/<instance>/<fingerprint>.

A checkpoint is a safetensors file with everything that determines the rest of the run (weights, the optimiser's
tensors, generators; as JSON the position, the losses so far, learning rates), so a resumed run ends with the same bytes
as an uninterrupted one. Its name is a fingerprint of everything that the stage reads, so no other run resumes from it.
"""

import contextlib
import hashlib
import json
import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, Self

import torch
from safetensors import SafetensorError

from auxseg.artifacts.atomic import finished, own_files, remove_path, sha256_file
from auxseg.artifacts.store import Store
from auxseg.artifacts.tensors import TensorFile, write_tensors
from auxseg.errors import EXIT_TERMINATED, AuxsegError, DataError
from auxseg.params.local import checkpoint_minutes
from auxseg.training.distributed import Team
from auxseg.training.state import Tensors, TrainingState, Values

FOLDER = Path(".auxseg/checkpoints")
_DAMAGE = (AuxsegError, SafetensorError, LookupError, TypeError, ValueError)
"""What reading a damaged checkpoint raises."""


class RunningStage(Protocol):
    """What a training has to know of its stage instance: auxseg.pipeline.stage.Stage."""

    name: str
    outputs: Store
    """Where the declared outputs lie."""

    @property
    def key(self) -> str:
        """The instance's name after the @; empty for a stage that has one instance."""

    @property
    def input_paths(self) -> list[Path]:
        """All declared inputs, files and folders."""

    @property
    def sections(self) -> dict[str, Any]:
        """All declared parameter sections."""


def fingerprint(stage: RunningStage, device: torch.device) -> str:
    """Return the SHA-256 of everything that determines a stage's result: its declared inputs (including its code), its
    parameters, the kind of device and the version of torch."""
    files = sorted(file for path in stage.input_paths if path.exists() for file in own_files(path))
    facts = {
        "inputs": {file.as_posix(): sha256_file(file) for file in files},
        "params": stage.sections,
        "device": device.type,
        "torch": torch.__version__,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


class CheckpointFile:
    """The checkpoint of a run. It is complete or absent, and verified when it is read."""

    def __init__(self, path: Path, precision: str = ""):
        self.path = path
        self._precision = precision

    @classmethod
    def of(cls, stage: RunningStage, device: torch.device, precision: str = "") -> Self:
        """Return the checkpoint of a stage instance as it would run now; `precision` is noted in it.

        Removes older checkpoints of the instance, except the newest one of other inputs or parameters, in case a change
        is undone.
        """
        folder = FOLDER / (f"{stage.name}-{stage.key}" if stage.key else stage.name)
        path = folder / f"{fingerprint(stage, device)}.safetensors"
        others = [other for other in finished(folder, "*.safetensors") if other != path]
        newest = max(others, key=lambda other: other.stat().st_mtime_ns, default=path)
        for other in folder.glob("*") if folder.is_dir() else ():
            if other not in (path, newest):
                remove_path(other)
        return cls(path, precision)

    @property
    def begun_with(self) -> str | None:
        """The arithmetic of the run that wrote the file; None if there is no file, or an unreadable one."""
        with contextlib.suppress(*_DAMAGE):
            if self.path.exists():
                return TensorFile(self.path).metadata["precision"] or None
        return None

    def write(self, tensors: Tensors, values: Values) -> None:
        """Write or replace the file, atomically."""
        # as a string, because metadata is written with sorted keys and the losses must keep the order of the columns
        notes = {"run": self.path.stem, "precision": self._precision, "values": json.dumps(values)}
        write_tensors(self.path, tensors, {**notes, "digest": _digest(tensors, notes)})

    def read(self) -> tuple[Tensors, Values] | None:
        """Return what was written last; None if there is nothing or, with a warning, if it is damaged."""
        if not self.path.exists():
            return None
        try:
            return self._verified()
        except _DAMAGE as error:
            logging.warning("%s: the checkpoint is damaged (%s), training starts over", self.path, error)
            return None

    def _verified(self) -> tuple[Tensors, Values]:
        file = TensorFile(self.path)
        tensors, notes = dict(file), dict(file.metadata)
        if notes.pop("digest") != _digest(tensors, notes) or notes["run"] != self.path.stem:
            raise DataError("its contents are not what was written")
        return tensors, json.loads(notes["values"])

    def remove(self) -> None:
        """Remove the file and those of other runs of the instance, because it has its result."""
        for file in finished(self.path.parent, "*.safetensors"):
            file.unlink(missing_ok=True)


def _digest(tensors: Tensors, notes: dict[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(notes, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tensors[name].shape}".encode())
        digest.update(tensors[name].tobytes())
    return digest.hexdigest()


class Saver:
    """Context manager that keeps the checkpoint of a run up to date; without a `file` it does nothing.

    Only the leading process has a `file`; it tells the others whether there is one. Inside the block, SIGTERM does not
    end the process at once, but at the next `end_batch`, with a checkpoint.
    """

    def __init__(self, state: TrainingState, team: Team, file: CheckpointFile | None):
        self._state = state
        self._team = team
        self._file = file
        self._active = bool(team.from_leader(file is not None))
        self._seconds = 60 * checkpoint_minutes() if self._active else float("inf")
        self._saved = time.monotonic()
        self._terminated = False

    def __enter__(self) -> Self:
        """Resume from the checkpoint, if there is one."""
        if self._active:
            self._handler = signal.signal(signal.SIGTERM, self._note)
            self._restore()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._active:
            signal.signal(signal.SIGTERM, self._handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._terminated = True

    def end_batch(self, update: Callable[[], None]) -> None:
        """Save if the interval has passed; `update` is called before, in every process, to complete the state.

        Raises:
            SystemExit: a process of the team received SIGTERM; the checkpoint is written.
        """
        if not self._active:
            return
        due = self._team.is_main and time.monotonic() - self._saved >= self._seconds
        wish = self._team.largest(2 if self._terminated else int(due))
        if wish:
            update()
            self.save()
        if wish == 2:
            logging.warning("SIGTERM: stopped at %s; the same command continues from there", self._position())
            raise SystemExit(EXIT_TERMINATED)

    @property
    def kept(self) -> Path | None:
        """The checkpoint that there is, or None."""
        return self._file.path if self._file and self._file.path.exists() else None

    def save(self) -> None:
        """Write a checkpoint; nothing if a weight is not finite, because the one before is still good.

        The loss of the next batch then ends the training; after the last batch, the check of the weights does.
        """
        if not self._active or self._state.lost():
            return
        generators = {"cpu": self._team.all_gather(torch.get_rng_state())}
        if self._team.device.type == "cuda":
            generators["cuda"] = self._team.all_gather(torch.cuda.get_rng_state(self._team.device))
        if self._file:
            tensors, values = self._state.export()
            for kind, states in generators.items():
                tensors |= {f"generator.{kind}.{rank}": state.numpy() for rank, state in enumerate(states)}
            self._file.write(tensors, values)
        self._team.wait()  # otherwise a process that ends early would stop the one that writes
        self._saved = time.monotonic()

    def _restore(self) -> None:
        # only the leader reads: on a network file system the others might see something else
        found = self._team.from_leader(self._file.read() if self._file else None)
        if found is None:
            return
        tensors, values = found
        generators = {
            name: torch.from_numpy(tensors.pop(name).copy()) for name in list(tensors) if name.startswith("generator.")
        }
        torch.set_rng_state(generators[f"generator.cpu.{self._team.rank}"])
        if self._team.device.type == "cuda":
            torch.cuda.set_rng_state(generators[f"generator.cuda.{self._team.rank}"], self._team.device)
        self._state.restore(tensors, values)
        logging.info("resumed at %s", self._position())

    def _position(self) -> str:
        return f"epoch {self._state.epoch}, {self._state.batch} batches done"
