"""Checkpoints with tensors below a key and options beside them; files that are no weights."""

import argparse
import os
from pathlib import Path

import pytest
import torch

from auxseg.errors import DataError
from auxseg.models.pretrained import read_state

STATE = {"conv1.weight": torch.arange(6.0).reshape(2, 3), "bn.num_batches_tracked": torch.tensor(3)}
PARALLEL = {f"module.{name}": value for name, value in STATE.items()}
OPTIONS = argparse.Namespace(lr=0.1, names=["a"], inner=argparse.Namespace(x=1), output=Path("runs"))


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        PARALLEL,
        {"state_dict": PARALLEL, "epoch": 3, "best": 71.2, "arch": "resnet50"},
        {"model": STATE, "optimizer": {"state": {0: {"step": torch.tensor(1)}}, "param_groups": []}, "args": OPTIONS},
        {"args": OPTIONS, "state_dict": {"model": STATE, "ema": None}},
        {"model_state_dict": {f"_orig_mod.{name}": value for name, value in STATE.items()}},
        {"state_dict": {f"_orig_mod.{name}": value for name, value in PARALLEL.items()}},
    ],
    ids=["bare", "parallel", "state_dict", "namespace", "nested", "compiled", "both"],
)
@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
def test_the_tensors_alone_are_read(tmp_path, content, is_zip):
    torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=is_zip)
    found = read_state(tmp_path / "a.pth")
    assert list(found) == list(STATE)
    assert all(torch.equal(found[name], STATE[name]) for name in STATE)


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("made-by-a-pickle",)


@pytest.mark.parametrize("options", [Harmful(), argparse.Namespace(inner=Harmful())], ids=["bare", "inside"])
def test_code_beside_the_tensors_is_rejected_and_does_not_run(tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": STATE, "args": options}, "a.pth")
    with pytest.raises(DataError, match=r"a\.pth: not readable as weights \(it contains code or objects\)"):
        read_state(Path("a.pth"))
    assert not Path("made-by-a-pickle").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning", "an HTML page, not weights"),
        (b"<html>\n<body>404", "an HTML page, not weights"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a pointer of Git LFS, not weights"),
    ],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_pages_and_pointers_are_called_what_they_are(tmp_path, content, message, suffix):
    (tmp_path / f"a{suffix}").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_state(tmp_path / f"a{suffix}")


def test_a_checkpoint_without_tensors_is_rejected(tmp_path):
    torch.save({"epoch": 3, "state_dict": {"lr": 0.1}}, tmp_path / "a.pth")
    with pytest.raises(DataError, match="not a state dict"):
        read_state(tmp_path / "a.pth")
