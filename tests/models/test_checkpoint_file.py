"""Checkpoints with tensors below a key and options beside them; files that are no weights."""

import argparse
import os
import time
import zipfile
from collections.abc import Callable
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


def changed(path: Path, change: Callable[[bytes], bytes], compression: int = zipfile.ZIP_STORED) -> None:
    """Write a checkpoint whose pickle was changed."""
    torch.save(STATE, path)
    with zipfile.ZipFile(path) as archive:
        members = {one.filename: archive.read(one) for one in archive.infolist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, change(content) if name.endswith("data.pkl") else content)


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("kind", ["class", "text"])
def test_long_words_do_not_make_torch_search_its_message_for_minutes(tmp_path, kind, is_zip):
    """Found by the fuzz; `time.process_time` because an unbounded search would be hours."""
    text = b"x" * 300_000
    bad = {
        "class": b"\x80\x02ctorch._utils\n_rebuild" + text + b"\n.",
        "text": b"\x80\x02X" + len(text).to_bytes(4, "little") + text + b")R.",
    }[kind]
    path, started = tmp_path / "a.pth", time.process_time()
    if is_zip:
        changed(path, lambda content: bad)
    else:
        torch.save(STATE, path, _use_new_zipfile_serialization=False)
        content = path.read_bytes()
        starts = [position for position in range(len(content)) if content.startswith(b"\x80\x02", position)]
        path.write_bytes(content[: starts[3]] + bad + content[starts[3] :])  # after magic number, version and machine
    with pytest.raises(DataError, match=r"a\.pth: a word of 300\d{3} characters among its names; save the state_dict"):
        read_state(path)
    assert time.process_time() - started < 10


def test_long_texts_beside_the_tensors_are_read(tmp_path):
    torch.save({"state_dict": STATE, "log": "a line of the log\n" * 10_000}, tmp_path / "a.pth")
    assert list(read_state(tmp_path / "a.pth")) == list(STATE)


def test_a_compressed_checkpoint_is_called_that(tmp_path):
    changed(tmp_path / "a.pth", lambda content: content, zipfile.ZIP_DEFLATED)
    with pytest.raises(
        DataError, match=r"a\.pth: a compressed zip, not as torch writes it; save the state_dict\(\) again"
    ):
        read_state(tmp_path / "a.pth")


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
