"""Test parallel writers: 16 shards at once through `dvc --wait-for-lock repro --single-item`.

    nice -n 19 python benchmarks/locks.py --repetitions 100 --at-once 2 --work FOLDER

Each shard writes one output of 1 GB. The file is sparse, so it needs no disk space, but DVC hashes all of it while it
holds the project lock. There are two cases: 16 processes in one project, and 4 processes in each of 4 clones that share
a cache; afterwards every clone asks for all 16 shards and must find those of the others. A repetition appends a row per
case to benchmarks/locks.csv; the program runs only repetitions that are missing there. A repetition waits for one lock
most of the time, so a machine with 2 cores can run two repetitions at once; `seconds` then measures both together.
"""

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import yaml

from auxseg.engines.dvc_internals import Repo

RESULTS = Path(__file__).resolve().with_suffix(".csv")
SHARDS = [f"{index:02d}" for index in range(16)]
CLONES = 4

DVC_YAML = """\
stages:
  shard:
    matrix: {shard: [SHARDS]}
    cmd: python write.py ${item.shard}
    deps: [seed.txt]
    outs: ["data/${item.shard}.bin"]
"""
CONFIG = """\
[core]
    no_scm = true
    analytics = false
    site_cache_dir = {site}
[cache]
    dir = {cache}
    type = hardlink
"""
"""Hard links, because a copy would fill the holes of a sparse file."""
WRITE = """\
import os, pathlib, sys
shard, size = sys.argv[1], int(os.environ["OUTPUT_BYTES"])
with open(os.environ["RAN"], "a") as log:
    log.write(shard + "\\n")
output = pathlib.Path("data", shard + ".bin")
output.parent.mkdir(exist_ok=True)
with output.open("wb") as stream:
    stream.write((pathlib.Path("seed.txt").read_text() + shard).encode())
    stream.truncate(size)
"""


class Outcome(NamedTuple):
    """The result of one case."""

    case: str
    processes: int
    megabytes: int
    seconds: float
    failed: int
    """Processes with an exit code other than 0."""
    lost: int
    """Shards that dvc.lock or the cache lacks, that were computed again, or that differ between clones."""


def one_project(folder: Path, seed: str, size: int, wait: bool = True) -> Outcome:
    """Run all shards at once in one project. Without `wait`, DVC fails after waiting 3 s for a lock."""
    project = _make_project(folder / "project", folder / "cache", seed)
    ran = folder / "ran.txt"
    started = time.monotonic()
    failed = _wait([_repro(project, ran, size, f"shard@{shard}", wait=wait) for shard in SHARDS])
    seconds = time.monotonic() - started
    lost = _lost(project, folder / "cache", size) + _computed_again(ran)
    return Outcome("one project" if wait else "one project, no waiting", len(SHARDS), size >> 20, seconds, failed, lost)


def four_clones(folder: Path, seed: str, size: int) -> Outcome:
    """Run a quarter of the shards in each clone, all at once; then ask every clone for all of them."""
    clones = [_make_project(folder / f"clone{index}", folder / "cache", seed) for index in range(CLONES)]
    ran = folder / "ran.txt"
    started = time.monotonic()
    failed = _wait([_repro(clones[place % CLONES], ran, size, f"shard@{shard}") for place, shard in enumerate(SHARDS)])
    failed += _wait([_repro(clone, ran, size) for clone in clones])
    seconds = time.monotonic() - started
    lost = sum(_lost(clone, folder / "cache", size) for clone in clones) + _computed_again(ran)
    lost += sum(_recorded(clone) != _recorded(clones[0]) for clone in clones)
    return Outcome("four clones", len(SHARDS) + CLONES, size >> 20, seconds, failed, lost)


CASES: dict[str, Callable[[Path, str, int], Outcome]] = {"one project": one_project, "four clones": four_clones}


def _make_project(folder: Path, cache: Path, seed: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "dvc.yaml").write_text(DVC_YAML.replace("SHARDS", ", ".join(f'"{shard}"' for shard in SHARDS)))
    (folder / "write.py").write_text(WRITE)
    (folder / "seed.txt").write_text(seed)
    Repo.init(str(folder), no_scm=True).close()
    (folder / ".dvc/config").write_text(CONFIG.format(cache=cache, site=folder.parent / "site"))
    return folder


def _dvc(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "dvc", *arguments]


def _repro(project: Path, ran: Path, size: int, *target: str, wait: bool = True) -> subprocess.Popen:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    settings = {**os.environ, "PATH": path, "RAN": str(ran), "OUTPUT_BYTES": str(size)}
    command = _dvc(*(["--wait-for-lock"] if wait else []), "repro", *(["--single-item"] if target else []), *target)
    with (project.parent / "dvc.log").open("a") as log:
        return subprocess.Popen(command, cwd=project, env=settings, stdout=log, stderr=log)


def _wait(processes: list[subprocess.Popen]) -> int:
    return sum(process.wait() != 0 for process in processes)


def _recorded(project: Path) -> dict:
    path = project / "dvc.lock"
    return yaml.safe_load(path.read_text())["stages"] if path.exists() else {}


def _lost(project: Path, cache: Path, size: int) -> int:
    """Return the number of shards that are not recorded, or whose output is not the complete cached file."""
    return sum(not _is_kept(project, cache, size, shard) for shard in SHARDS)


def _is_kept(project: Path, cache: Path, size: int, shard: str) -> bool:
    entry, output = _recorded(project).get(f"shard@{shard}"), project / f"data/{shard}.bin"
    if entry is None or not output.exists():
        return False
    digest = entry["outs"][0]["md5"]
    cached = cache / "files/md5" / digest[:2] / digest[2:]
    return cached.exists() and output.samefile(cached) and output.stat().st_size == size


def _computed_again(ran: Path) -> int:
    lines = ran.read_text().split()
    return len(lines) - len(set(lines))


def _missing(repetitions: int) -> list[tuple[int, str]]:
    rows = csv.DictReader(RESULTS.read_text().splitlines()) if RESULTS.exists() else ()
    done = {(int(row["repetition"]), row["case"]) for row in rows}
    return [(number, case) for number in range(1, repetitions + 1) for case in CASES if (number, case) not in done]


def _append(repetition: int, outcome: Outcome) -> None:
    new = not RESULTS.exists()
    with RESULTS.open("a", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if new:
            writer.writerow(("repetition", *Outcome._fields))
        writer.writerow((repetition, *outcome._replace(seconds=round(outcome.seconds, 1))))


def _run(repetition: int, case: str, work: Path | None, size: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="locks-", dir=work))
    outcome = CASES[case](folder, str(repetition), size)
    _append(repetition, outcome)
    if outcome.failed or outcome.lost:
        raise SystemExit(f"{outcome}: see {folder}/dvc.log")
    shutil.rmtree(folder)


def main() -> None:
    """Run what is missing in the table; stop after a repetition that failed or lost anything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=1, help="cases beside each other, each in its own projects")
    parser.add_argument("--megabytes", type=int, default=1024, help="of one output")
    parser.add_argument("--work", type=Path, help="folder for the projects (default: a temporary one)")
    arguments = parser.parse_args()
    if arguments.work:
        arguments.work.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(arguments.at_once) as pool:
        runs = [
            pool.submit(_run, repetition, case, arguments.work, arguments.megabytes << 20)
            for repetition, case in _missing(arguments.repetitions)
        ]
        try:
            for run in runs:
                run.result()
        except SystemExit:
            pool.shutdown(cancel_futures=True)
            raise


if __name__ == "__main__":
    main()
