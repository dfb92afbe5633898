"""Runs that are killed at random moments, with any signal and under either engine: the same command goes on from there,
and what it ends with has the bytes of a run that nothing disturbed.

`make test` strikes 9 times, under `auxseg run` and Snakemake. `make test-nightly` strikes 200 times, under plain
`dvc repro` too. How often which stage was struck is printed at the end.
"""

import contextlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import pytest
import tiny

ENGINES = {
    "dvc": (sys.executable, "-m", "dvc", "--wait-for-lock", "repro"),
    "auxseg": (sys.executable, "-m", "auxseg.cli.main", "run"),
    "snakemake": (sys.executable, "-m", "snakemake", "--cores", "1"),
}
KINDS = tuple(itertools.product((signal.SIGKILL, signal.SIGTERM, signal.SIGINT), (False, True)))
"""A signal, and whether all children get it too."""
NOTHING = "nothing yet"
"""What is struck before the first stage."""
STAGE = re.compile(r"Running stage '(\w+)|^(?:local)?rule (\w+):", re.MULTILINE)
"""The line with which DVC or Snakemake starts a stage."""
LONGEST_RUN = 600
"""Seconds after which a run counts as hung."""
BROKEN = ("Unable to read RWLock-file", "'./dvc.lock' is invalid", "join() argument must be str")
"""What `dvc repro` says, before it runs any code of this project, if it was killed while it wrote a file of its own. It
then needs `auxseg check` first (docs/troubleshooting.md); `auxseg run` and Snakemake do without."""


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return tiny.make_data(tmp_path_factory.mktemp("photos") / "voc")


@pytest.fixture(scope="module")
def new(tmp_path_factory, data) -> Path:
    folder = tiny.make_project(tmp_path_factory.mktemp("new") / "project", data)
    tiny.run(folder, "auxseg", "shards", "1")
    return folder


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, new, data) -> tuple[dict[str, str], float]:
    """Hashes of all artifacts of a run that nothing disturbs, and its seconds."""
    folder = Path(shutil.copytree(new, tmp_path_factory.mktemp("unbroken") / "project"))
    started = time.monotonic()
    tiny.repro(folder, data)
    return tiny.hashes(folder), time.monotonic() - started


@pytest.mark.parametrize(
    ("engine", "strikes"),
    [
        ("auxseg", 5),
        ("snakemake", 4),
        pytest.param("dvc", 70, marks=pytest.mark.nightly),
        pytest.param("auxseg", 60, marks=pytest.mark.nightly),
        pytest.param("snakemake", 70, marks=pytest.mark.nightly),
    ],
)
def test_the_same_command_goes_on_after_every_strike(tmp_path, new, unbroken, data, engine, strikes):
    wanted, seconds = unbroken
    drawn, struck, left, number = np.random.default_rng([1, len(engine), strikes]), Counter(), strikes, 0
    kinds = itertools.cycle(drawn.permutation(len(KINDS)))
    while left:
        number += 1
        folder = Path(shutil.copytree(new, tmp_path / str(number), symlinks=True))
        for _ in range(left):
            # so that about five strikes fall into one run from nothing to the end
            ended = strike(folder, data, engine, drawn.uniform(0, seconds / 3), *KINDS[next(kinds)])
            if ended is None:
                break  # it had ended before
            left -= 1
            struck[ended] += 1
        printed = go_on(folder, data, engine)
        assert tiny.hashes(folder) == wanted, printed
        assert tiny.status(folder) == "Data and pipelines are up to date."
        shutil.rmtree(folder)
    print(f"{engine}: {strikes} strikes in {number} runs;", *(f"{stage} {count}," for stage, count in struck.items()))
    assert struck[NOTHING] <= strikes / 2


def start(folder: Path, data: Path, engine: str) -> subprocess.Popen:
    environment = tiny.environment(folder, data)
    with (folder / "printed.log").open("wb") as log:
        return subprocess.Popen(
            ENGINES[engine], cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )


def strike(folder: Path, data: Path, engine: str, after: float, number: int, everyone: bool) -> str | None:
    """Start a run, and after some seconds send a signal to it, or to it and all its children as a terminal or a service
    manager does; return the stage that ran, or None if it had ended."""
    process = start(folder, data, engine)
    try:
        code = process.wait(after)
    except subprocess.TimeoutExpired:
        pass
    else:
        if repaired(folder, engine, code):
            return strike(folder, data, engine, after, number, everyone)
        return None
    children = psutil.Process(process.pid).children(recursive=True)
    if everyone:
        os.killpg(process.pid, number)
        for child in children:  # DVC gives a stage's command a session of its own
            with contextlib.suppress(psutil.NoSuchProcess):
                child.send_signal(number)
    else:
        process.send_signal(number)
    process.wait(LONGEST_RUN)
    _, alive = psutil.wait_procs(children, timeout=LONGEST_RUN)
    assert not alive, f"{alive} live on"
    running = STAGE.findall((folder / "printed.log").read_text())
    return "".join(running[-1]) if running else NOTHING


def go_on(folder: Path, data: Path, engine: str) -> str:
    process = start(folder, data, engine)
    if repaired(folder, engine, process.wait(LONGEST_RUN)):
        return go_on(folder, data, engine)
    return (folder / "printed.log").read_text()


def repaired(folder: Path, engine: str, code: int) -> bool:
    """Tell whether a run failed for the one reason that asks for another command, which is then run."""
    printed = (folder / "printed.log").read_text()
    if code and engine == "dvc" and (broken := [words for words in BROKEN if words in printed]):
        print(f"dvc: {broken[0]}")
        tiny.run(folder, "auxseg", "check")
        return True
    assert code == 0, printed
    return False
