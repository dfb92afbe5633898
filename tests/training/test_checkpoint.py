"""A training killed at any point ends with the bytes of an uninterrupted one; no other run uses its checkpoint."""

import json
import logging
import os
import re
import shutil
from pathlib import Path

import default_params
import numpy as np
import pytest
import torch
import yaml

from auxseg.artifacts.tensors import write_tensors
from auxseg.errors import ParamsError
from auxseg.params.local import checkpoint_minutes
from auxseg.pipeline.stage import Stage
from auxseg.training.checkpoint import CheckpointFile, fingerprint
from training import runs
from training.runs import KILL, TERM

CPU = torch.device("cpu")
EVERY_BATCH, EPOCHS_ONLY = "checkpoint_minutes: 0.000001\n", "checkpoint_minutes: 1000\n"


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """Folders of runs that nothing stopped, by kind, without checkpoints."""
    folders = {}
    for kind in ("classify", "train"):
        folders[kind] = tmp_path_factory.mktemp(kind)
        assert runs.run(folders[kind], kind, checkpoints=False) == 0
    return folders


def results(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in ("weights.safetensors", "curve.json")]


# 2 batches an epoch, 3 epochs; each tuple is one process: where, after how many, by which signal
@pytest.mark.parametrize(
    ("kind", "local", "kills"),
    [
        ("classify", EVERY_BATCH, [("batch", 1, KILL), ("write", 1, KILL), ("batch", 0, KILL), ("write", 2, KILL)]),
        ("train", EVERY_BATCH, [("batch", 3, KILL), ("batch", 0, KILL), ("write", 0, KILL), ("batch", 1, KILL)]),
        ("train", EPOCHS_ONLY, [("batch", 1, KILL), ("batch", 3, KILL), ("batch", 2, TERM)]),
        ("classify", EPOCHS_ONLY, [("batch", 0, TERM), ("batch", 3, TERM), ("batch", 0, KILL)]),
    ],
)
def test_killed_and_resumed_runs_end_with_the_same_bytes(unbroken, tmp_path, kind, local, kills):
    (tmp_path / "params.local.yaml").write_text(local)
    for kill in kills:
        assert runs.run(tmp_path, kind, kill=kill) == (143 if kill[2] == TERM else -KILL), kill
        assert not (tmp_path / "weights.safetensors").exists()
    assert runs.run(tmp_path, kind) == 0
    assert results(tmp_path) == results(unbroken[kind])


def test_a_run_in_steps_resumes_within_its_row(unbroken, tmp_path):
    """All 6 steps are one row of the curve; the weights are those of 3 epochs of 2."""
    for kill in [("batch", 2, TERM), ("batch", 0, TERM)]:
        assert runs.run(tmp_path, "train", kill=kill, steps=6) == 143
    assert "stopped at epoch 1, 4 batches done" in (tmp_path / "log.txt").read_text()
    assert runs.run(tmp_path, "train", steps=6) == 0
    assert results(tmp_path)[0] == results(unbroken["train"])[0]
    (row,) = json.loads((tmp_path / "curve.json").read_text())
    assert row["epoch"] == 3


def test_losses_that_were_not_read_yet_reach_the_checkpoint(unbroken, tmp_path):
    """As on a GPU, where losses are read after some steps only: all 6 steps are one row of the curve."""
    for folder in (whole := tmp_path / "whole", broken := tmp_path / "broken"):
        folder.mkdir()
    assert runs.run(whole, "train", steps=6) == 0
    for kill in [("batch", 2, TERM), ("batch", 1, TERM)]:
        assert runs.run(broken, "train", kill=kill, steps=6, read_every=4) == 143
    assert runs.run(broken, "train", steps=6, read_every=4) == 0
    assert results(broken) == results(whole)
    assert results(whole)[0] == results(unbroken["train"])[0]


def test_it_goes_on_where_it_was(unbroken, tmp_path):
    """SIGTERM in the second batch of the second epoch: that batch is finished, and not done again."""
    assert runs.run(tmp_path, "train", kill=("batch", 3, TERM)) == 143
    assert "SIGTERM: stopped at epoch 2, 2 batches done" in (tmp_path / "log.txt").read_text()
    # the third process would be struck in a third batch, if it did more than the last epoch's two
    assert runs.run(tmp_path, "train", kill=("batch", 2, KILL)) == 0
    log = (tmp_path / "log.txt").read_text()
    assert "resumed at epoch 2, 2 batches done" in log
    assert re.findall(r"epoch \d/3: loss", log) == ["epoch 1/3: loss", "epoch 2/3: loss", "epoch 3/3: loss"]
    assert results(tmp_path) == results(unbroken["train"])


def test_a_finished_training_is_not_done_again(unbroken, tmp_path):
    """Killed between the last epoch and its outputs."""
    assert runs.run(tmp_path, "train") == 0
    (tmp_path / "weights.safetensors").unlink()
    assert runs.run(tmp_path, "train", kill=("batch", 0, KILL)) == 0
    assert results(tmp_path) == results(unbroken["train"])


def test_loader_processes(unbroken, tmp_path):
    (tmp_path / "params.local.yaml").write_text(EVERY_BATCH)
    assert runs.run(tmp_path, "train", workers=1, kill=("batch", 2, KILL)) == -KILL
    assert runs.run(tmp_path, "train", workers=1) == 0
    assert results(tmp_path) == results(unbroken["train"])


def test_a_damaged_checkpoint_is_one_warning_and_a_new_start(unbroken, tmp_path):
    assert runs.run(tmp_path, "train", kill=("batch", 3, TERM)) == 143
    path = tmp_path / runs.CHECKPOINT
    path.write_bytes(path.read_bytes()[:-1000])
    (tmp_path / "log.txt").unlink()
    assert runs.run(tmp_path, "train") == 0
    first, *others = (tmp_path / "log.txt").read_text().splitlines()
    assert re.fullmatch(r"checkpoints/run\.safetensors: the checkpoint is damaged \(.+\), training starts over", first)
    assert len(others) == 3
    assert results(tmp_path) == results(unbroken["train"])


def flip(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


@pytest.mark.parametrize("damage", [flip, lambda _: b"", lambda _: b"{}", lambda content: content[: len(content) // 2]])
def test_what_was_not_written_so_is_not_read(tmp_path, caplog, damage):
    file = CheckpointFile(tmp_path / "a.safetensors")
    assert file.read() is None
    tensors, values = {"x": np.arange(5.0), "n": np.array(3)}, {"epoch": 2, "sums": {"loss": 0.1 + 0.2, "a": 1.0}}
    file.write(tensors, values)
    found, notes = file.read()
    assert {name: value.tolist() for name, value in found.items()} == {"x": [0, 1, 2, 3, 4], "n": 3}
    assert json.dumps(notes) == json.dumps(values)  # in the same order too
    file.path.write_bytes(damage(file.path.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert file.read() is None
    assert len(caplog.records) == 1


def test_a_checkpoint_under_another_name_is_not_read(tmp_path):
    file, other = CheckpointFile(tmp_path / "a.safetensors"), CheckpointFile(tmp_path / "b.safetensors")
    file.write({"x": np.arange(5.0)}, {})
    shutil.copy(file.path, other.path)
    assert other.read() is None
    write_tensors(other.path, {"x": np.arange(5.0)})  # some other safetensors file
    assert other.read() is None


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose stage `train` reads a folder, a file, its code and two sections."""
    monkeypatch.chdir(tmp_path)
    deps = ["data/code/train.txt", "data/labels/${item}", "data/models/${item}.safetensors"]
    stages = {"train": {"foreach": "${rounds}", "do": {"cmd": "x", "deps": deps, "params": ["train", "runtime"]}}}
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    Path("params.yaml").write_text(default_params.TEXT)
    for path in ("data/code/train.txt", "data/labels/r0/00.zip", "data/labels/r0/01.zip", "data/models/r0.safetensors"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(path)
    return tmp_path


def edit(section: str, **values) -> None:
    params = yaml.safe_load(Path("params.yaml").read_text())
    params[section].update(values)
    Path("params.yaml").write_text(yaml.safe_dump(params))


@pytest.mark.parametrize(
    "change",
    [
        lambda: Path("data/code/train.txt").write_text("edited"),
        lambda: Path("data/labels/r0/01.zip").write_text("reviewed"),
        lambda: Path("data/labels/r0/01.zip").unlink(),
        lambda: Path("data/models/r0.safetensors").write_text("trained again"),
        lambda: edit("train", seed=1),
        lambda: edit("runtime", threads=7),
    ],
)
def test_a_stale_checkpoint_is_never_taken_up(project, change):
    before = CheckpointFile.of(Stage("train", "r1"), CPU)
    before.write({"x": np.zeros(3)}, {})
    half = before.path.with_name(".tmp-1-half")
    half.touch()
    assert CheckpointFile.of(Stage("train", "r1"), CPU).read() is not None
    assert not half.exists()
    change()
    after = CheckpointFile.of(Stage("train", "r1"), CPU)
    assert after.path != before.path
    assert after.read() is None


def test_the_newest_checkpoint_of_other_parameters_stays_until_there_is_a_result(project):
    files = []
    for seed in (0, 1, 2):
        edit("train", seed=seed)
        files.append(CheckpointFile.of(Stage("train", "r1"), CPU))
        files[-1].write({"x": np.full(3, seed)}, {})
        os.utime(files[-1].path, (seed, seed))
    assert [file.path.exists() for file in files] == [False, True, True]
    edit("train", seed=1)  # taken back
    again = CheckpointFile.of(Stage("train", "r1"), CPU)
    assert again.read()[0]["x"].tolist() == [1, 1, 1]
    again.remove()
    assert not list(again.path.parent.iterdir())


def test_what_a_stage_does_not_read_leaves_its_checkpoint(project):
    file = CheckpointFile.of(Stage("train", "r1"), CPU)
    file.write({"x": np.zeros(3)}, {})
    edit("classify", seed=1)
    edit("audit")  # the file is written in another order, without comments
    Path("data/labels/r0/.tmp-1-02.zip").touch()
    Path("data/labels/r1").mkdir()
    CheckpointFile.of(Stage("train", "r2"), CPU)
    assert CheckpointFile.of(Stage("train", "r1"), CPU).read() is not None
    assert fingerprint(Stage("train", "r1"), torch.device("cuda")) != file.path.stem
    file.remove()
    assert not file.path.exists()


def test_checkpoint_minutes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert checkpoint_minutes() == 10
    local = Path("params.local.yaml")
    local.write_text("data_root: photos\n")
    assert checkpoint_minutes() == 10
    local.write_text("checkpoint_minutes: 2.5\n")
    assert checkpoint_minutes() == 2.5
    for wrong in ("0", "true", "often", "-1", ".nan"):
        local.write_text(f"checkpoint_minutes: {wrong}\n")
        with pytest.raises(ParamsError, match="checkpoint_minutes: expected a number above 0"):
            checkpoint_minutes()
