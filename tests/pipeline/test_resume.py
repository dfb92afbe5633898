"""The real training stages, killed: they resume from their checkpoint, with the bytes of an uninterrupted run."""

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny

EPOCHS = 3
OUTPUTS = {
    "classify": ("data/models/r0.safetensors", "data/curves/r0.csv"),
    "train": ("data/models/r1.safetensors", "data/curves/r1.csv"),
}
ARGUMENTS = {"classify": (), "train": ("--round", "r1")}
LOGS = {"classify": "logs/classify/all.log", "train": "logs/train/r1.log"}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return tiny.make_data(tmp_path_factory.mktemp("photos") / "voc")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, data) -> Path:
    """A project up to the first round's model, never interrupted."""
    folder = tiny.make_project(tmp_path_factory.mktemp("unbroken") / "project", data)
    for section in ("classify", "train"):
        tiny.edit_params(folder, section, epochs=EPOCHS)
    tiny.run(folder, "auxseg", "shards", "1")
    tiny.repro(folder, data, "train@r1")
    return folder


@pytest.fixture
def begun(tmp_path, unbroken, data):
    """Copy the project without a stage's outputs; return it, the stage's command and what that needs to start."""

    def make(stage: str) -> "Begun":
        folder = Path(shutil.copytree(unbroken, tmp_path / "project", symlinks=True))
        for path in OUTPUTS[stage]:
            (folder / path).unlink()
        return Begun(stage, folder, data)

    return make


class Begun:
    """A stage that has all its inputs and none of its outputs."""

    def __init__(self, stage: str, folder: Path, data: Path):
        self.folder = folder
        self.command = [sys.executable, f"workflow/stages/{stage}.py", *ARGUMENTS[stage]]
        self.outputs = OUTPUTS[stage]
        self._data = data
        self._log = folder / LOGS[stage]

    def finish(self, code: int = 0) -> str:
        """Run the stage to its end, which is `code`; return its log."""
        tiny.run(self.folder, *self.command, data=self._data, code=code)
        return self._log.read_text()

    def kill(self, number: int) -> tuple[int, str]:
        """Run the stage, strike when it has written a checkpoint; return its exit code and its log."""
        local, before = self.folder / "params.local.yaml", self.checkpoints()
        local.write_text("checkpoint_minutes: 0.000001\n")  # after every batch
        environment = tiny.environment(self.folder, self._data)
        with subprocess.Popen(self.command, cwd=self.folder, env=environment, stderr=subprocess.DEVNULL) as process:
            while not self.checkpoints() - before:
                assert process.poll() is None, "it ended without a checkpoint"
                time.sleep(0.005)
            process.send_signal(number)
        local.unlink()
        return process.returncode, self._log.read_text()

    def checkpoints(self) -> set[tuple[str, int]]:
        """Return name and time of each checkpoint."""
        paths = self.folder.glob(".auxseg/checkpoints/*/*.safetensors")
        return {(path.name, path.stat().st_mtime_ns) for path in paths if not path.name.startswith(".tmp-")}

    def written(self) -> list[str]:
        """Return what lies in the folders of outputs under the names of outputs or half-written."""
        folders = {Path(path).parent for path in self.outputs}
        found = [path.relative_to(self.folder) for folder in folders for path in (self.folder / folder).iterdir()]
        return [str(path) for path in found if str(path) in self.outputs or path.name.startswith(".")]


def epochs_of(log: str) -> list[int]:
    """Return the epochs whose end is in a log."""
    return [int(number) for number in re.findall(rf"epoch (\d+)/{EPOCHS}: loss", log)]


@pytest.mark.nightly  # every day: tests/training/test_checkpoint.py, and the real stages in test_kills.py
@pytest.mark.parametrize("stage", ["classify", "train"])
def test_however_often_it_is_stopped_it_goes_on_and_ends_with_the_bytes_of_an_unbroken_run(begun, unbroken, stage):
    run = begun(stage)

    code, _ = run.kill(signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert run.written() == []

    code, log = run.kill(signal.SIGTERM)
    assert code == 143
    assert "resumed at epoch " in log
    stopped = re.search(r"SIGTERM: stopped at (epoch (\d), \d batches done); the same command continues", log)
    assert run.written() == []
    assert run.checkpoints()

    blocked = run.folder / run.outputs[-1]
    blocked.mkdir()  # so that it fails between its outputs
    log = run.finish(code=1)
    assert f"resumed at {stopped[1]}" in log
    assert epochs_of(log) == list(range(int(stopped[2]), EPOCHS + 1))

    blocked.rmdir()
    log = run.finish()
    assert f"resumed at epoch {EPOCHS + 1}, 0 batches done" in log
    assert epochs_of(log) == []
    assert tiny.hashes(run.folder) == tiny.hashes(unbroken)
    assert not run.checkpoints()  # of no use any more
