"""How a stage ends: exit code, the one line it says, and the note that keeps a scheduler from trying again."""

import os
import subprocess
import sys
from pathlib import Path

import default_params
import pytest

from auxseg.pipeline import rejection

SCRIPT = """\
'''A stage that ends as it is told.'''
from auxseg.errors import DataError, ResourceError
from auxseg.pipeline.stage import run

def main(stage):
    if "Memory" in {error!r}:
        import torch
    raise {error}

run("{stage}", main)
"""


@pytest.fixture
def end(tmp_path):
    """Run a stage that raises `error`; return the process and the note's path."""
    note = tmp_path / rejection.note_of("train", "r1")
    (tmp_path / "params.yaml").write_text(default_params.TEXT)
    (tmp_path / "dvc.yaml").write_text("stages: {classify: {cmd: x}, labels: {cmd: x}, tag_score: {cmd: x}}\n")

    def run(error: str, stage: str = "classify", note: Path | None = note) -> tuple[subprocess.CompletedProcess, Path]:
        (tmp_path / "script.py").write_text(SCRIPT.format(error=error, stage=stage))
        # errors alone: a stage also says how far the run is
        environment = {**os.environ, "AUXSEG_LOG": "ERROR", **({rejection.VARIABLE: str(note)} if note else {})}
        done = subprocess.run(
            [sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        return done, note

    return run


def test_bad_input_is_rejected_and_noted(end):
    done, note = end("DataError('labels.csv, row 3: no class; add one')")
    assert done.returncode == 2
    assert done.stderr == "ERROR: labels.csv, row 3: no class; add one\n"
    assert note.read_text() == "labels.csv, row 3: no class; add one\n"


def test_without_a_scheduler_no_note_is_written(end, tmp_path):
    done, _ = end("DataError('bad')", note=None)
    assert done.returncode == 2
    assert not (tmp_path / ".snakemake").exists()


@pytest.mark.parametrize("error", ["ResourceError('a worker was killed')", "ValueError('a fault')"])
def test_what_may_succeed_next_time_leaves_no_note(end, error):
    done, note = end(error)
    assert done.returncode == 1
    assert not note.exists()


@pytest.mark.parametrize(
    ("stage", "lower"),
    [
        ("classify", "classify.batch_size or classify.augment.crop, or raise classify.accumulate"),
        ("labels", "runtime.max_side"),
    ],
)
def test_a_full_gpu_names_what_to_lower(end, stage, lower):
    done, note = end("torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB.\\nmore')", stage)
    assert done.returncode == 1
    assert done.stderr == (
        f"ERROR: params.yaml: the GPU has too little memory; lower {lower} "
        "(CUDA out of memory. Tried to allocate 2 GiB.)\n"
    )
    assert not note.exists()


def test_notes_are_found_and_forgotten(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(rejection.VARIABLE, str(rejection.note_of("labels", "r1-00")))
    assert not rejection.is_rejected("labels", "r1-00")
    rejection.leave_note("bad")
    assert rejection.is_rejected("labels", "r1-00")
    assert not rejection.is_rejected("labels", "r1-01")
    rejection.clear_notes()
    assert not rejection.is_rejected("labels", "r1-00")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("MemoryError('Unable to allocate 4 GiB\\nmore')", "Unable to allocate 4 GiB"),
        ("MemoryError", "MemoryError"),
        ("RuntimeError('DefaultCPUAllocator: can\\'t allocate memory: you tried')", "DefaultCPUAllocator"),
    ],
)
@pytest.mark.parametrize(
    ("stage", "advice"),
    [
        ("classify", "lower classify.batch_size or classify.augment.crop, or raise classify.accumulate"),
        ("tag_score", "lower runtime.max_side"),
        ("labels", "lower labels.crf_side, or run fewer processes: LOKY_MAX_CPU_COUNT=1"),
    ],
)
def test_a_full_memory_names_what_to_lower_too(end, error, reason, stage, advice):
    done, note = end(error, stage)
    assert done.returncode == 1
    assert done.stderr.startswith(f"ERROR: params.yaml: this machine has too little memory; {advice} ({reason}")
    assert len(done.stderr.splitlines()) == 1 and not note.exists()


def test_a_place_that_cannot_be_written_is_one_line(end):
    done, note = end("PermissionError(13, 'Permission denied', 'data/models/r1.safetensors')")
    assert done.returncode == 1 and not note.exists()
    assert done.stderr == (
        "ERROR: data/models/r1.safetensors: Permission denied; fix that, then run the same command again\n"
    )


def test_logs_that_cannot_be_written_are_one_line(end, tmp_path):
    (tmp_path / "logs").write_text("a file")
    done, _ = end("DataError('bad')")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and "logs/classify: " in done.stderr
