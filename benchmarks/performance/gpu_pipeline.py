"""Part of gpu.py: all stages of the demo on the GPU, twice, and on the CPU; without DVC, which such a machine may lack.

The CPU's run starts first and goes on beside the GPU's.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import torch
import yaml
from gpu_rows import at_most, row

from auxseg.artifacts.atomic import sha256_file
from auxseg.artifacts.tables import read_csv
from auxseg.pipeline.declaration import fill, read_stages
from auxseg.pipeline.graph import readers
from auxseg.pipeline.instances import Instance, instances

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("src", "workflow", "params", "review", "dvc.yaml", "params.yaml", "data/raw.yaml")
LEFT_OUT = "audit"
"""The report uses no network."""
KINDS = ("models", "curves", "maps", "labels", "predictions")
"""Folders of artifacts."""
TINY = {"data.scenes": {"train": 8, "val": 4, "side": 64, "seed": 0}, "backbone.weights": "random"}
MIOU = 0.5
"""The largest difference, in per cent, between the figures of the GPU and of the CPU."""
KILLED = "train@r1"


def measure(device: torch.device, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the rows."""
    projects = {name: arguments.to / "projects" / name for name in ("cpu", "first", "second", "killed")}
    for folder in projects.values():
        prepare(folder, arguments.tiny)
    with ThreadPoolExecutor(1) as beside:
        on_cpu = beside.submit(run_all, projects["cpu"], torch.device("cpu"))
        with Watched(device) as watched:
            costs = run_all(projects["first"], device)
        run_all(projects["second"], device)
        rows = [row(f"stage {address}", "seconds", end - start) for address, (start, end) in costs.items()]
        rows += [
            row(f"stage {address}", "GPU busy, per cent", watched.mean(start, end))
            for address, (start, end) in costs.items()
            if device.type == "cuda"
        ]
        rows += same_bytes("a second run", projects["first"], projects["second"], *KINDS)
        shutil.copytree(projects["first"] / "data", projects["killed"] / "data", dirs_exist_ok=True)
        (projects["killed"] / "params.local.yaml").write_text("checkpoint_minutes: 0.01\n")
        rows.append(row(KILLED, "killed after a checkpoint", "", "", kill_and_resume(projects["killed"], device)))
        rows += same_bytes("a killed training", projects["first"], projects["killed"], "models", "curves")
        on_cpu.result()
    figures = [read_csv(projects[name] / "data/summary/rounds.csv") for name in ("first", "cpu")]
    for one, other in zip(*figures, strict=True):
        if one["miou"]:
            what = f"{one['round']} {one['what']} ({one['set']})"
            difference = abs(float(one["miou"]) - float(other["miou"]))
            bound = 100.0 if arguments.tiny else MIOU  # random weights on a few images: the figures are noise
            rows += [row(what, "mIoU", one["miou"]), at_most(what, "difference from the CPU", difference, bound)]
    return rows


def prepare(folder: Path, tiny: bool) -> None:
    """Make a project of its own from what the stages need of this one."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in NEEDED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    values = yaml.safe_load((folder / "params.yaml").read_text())
    changes: dict[str, Any] = {"runtime.precision": "float32", "rounds": {"r1": "r0"}, "label_rounds": ["r0", "r1"]}
    if tiny:
        changes |= {**TINY, "classify.epochs": 1, "train.epochs": 1, "saliency.provider": "boundary"}
    for key, value in changes.items():
        *above, last = key.split(".")
        section = values
        for name in above:
            section = section[name]
        section[last] = value
    (folder / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))


def run_all(folder: Path, device: torch.device) -> dict[str, tuple[float, float]]:
    """Run the stages in the order of the DAG; return when each began and ended, seconds of time.monotonic()."""
    times = {}
    for one in in_order(folder):
        started = time.monotonic()
        start(folder, one, device).wait()
        times[one.address] = (started, time.monotonic())
        missing = [
            path for path in fill(_stages(folder)[one.stage], one.template).outputs if not (folder / path).exists()
        ]
        if missing:
            log = (folder / "stages.log").read_text().splitlines()
            raise SystemExit(f"{folder}: {one.address} did not write {missing[0]}: {log[-1] if log else ''}")
    return times


def in_order(folder: Path) -> list[Instance]:
    """Return all instances but the report, each after those whose outputs it reads."""
    values, stages = yaml.safe_load((folder / "params.yaml").read_text()), _stages(folder)
    found = [one for one in instances(values, folder / "dvc.yaml") if one.stage != LEFT_OUT]
    users = readers([fill(stages[one.stage], one.template) for one in found])
    order = TopologicalSorter({index: set() for index in range(len(found))})
    for writer, using in users.items():
        for user in using:
            order.add(user, writer)
    return [found[index] for index in order.static_order()]


def start(folder: Path, one: Instance, device: torch.device) -> subprocess.Popen[bytes]:
    """Start the script of an instance as DVC does."""
    environment = {**os.environ, "DVC_STAGE": one.address, "PYTHONPATH": str((folder / "src").resolve())}
    environment |= {"AUXSEG_DEVICE": device.type}
    with (folder / "stages.log").open("a") as log:
        command = [sys.executable, *_stages(folder)[one.stage].get("do", _stages(folder)[one.stage])["cmd"].split()[1:]]
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)


def kill_and_resume(folder: Path, device: torch.device) -> bool:
    """Kill a training once it has a checkpoint, and run it again; tell whether it was killed in time."""
    one = next(one for one in in_order(folder) if one.address == KILLED)
    (folder / "data/models/r1.safetensors").unlink()
    process, killed = start(folder, one, device), False
    while process.poll() is None and not killed:
        if list((folder / ".auxseg/checkpoints").glob("train-r1/*.safetensors")):
            process.send_signal(signal.SIGKILL)
            killed = True
        time.sleep(0.02)
    process.wait()
    start(folder, one, device).wait()
    return killed


def same_bytes(what: str, one: Path, other: Path, *kinds: str) -> list[dict[str, Any]]:
    """Return a row for each kind of artifact: how many files there are, and whether all have the same bytes."""
    rows = []
    for kind in kinds:
        files = sorted(path.relative_to(one) for path in (one / "data" / kind).rglob("*") if path.is_file())
        same = [
            name for name in files if (other / name).exists() and sha256_file(one / name) == sha256_file(other / name)
        ]
        rows.append(row(f"{what}, {kind}", f"same bytes, of {len(files)} files", len(same), "all", same == files))
    return rows


class Watched:
    """How busy the GPU is: nvidia-smi's share of the time in which a kernel ran, five times a second."""

    def __init__(self, device: torch.device):
        self._shares: list[tuple[float, float]] = []
        self._process: subprocess.Popen[str] | None = None
        if device.type == "cuda" and shutil.which("nvidia-smi"):
            command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "200"]
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "Watched":
        if self._process:
            threading.Thread(target=self._read, daemon=True).start()
        return self

    def _read(self) -> None:
        for line in self._process.stdout if self._process and self._process.stdout else ():
            if line.strip().isdigit():
                self._shares.append((time.monotonic(), float(line)))

    def __exit__(self, *exception: object) -> None:
        if self._process:
            self._process.terminate()

    def mean(self, start: float, end: float) -> float:
        """Return the mean between two times; NaN without a reading."""
        found = [share for at, share in self._shares if start <= at <= end]
        return sum(found) / len(found) if found else float("nan")


def _stages(folder: Path) -> dict[str, Any]:
    return read_stages(folder / "dvc.yaml")
