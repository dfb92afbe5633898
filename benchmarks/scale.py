"""Measure planning and recording at the size of COCO: 100,000 images, 64 shards, 4 rounds, a thousand stage instances.

    nice -n 19 python benchmarks/scale.py --work FOLDER
    nice -n 19 python benchmarks/scale.py --work FOLDER --images 1000000 --shards 256 --to benchmarks/scale_million.csv

It makes a data folder of one-pixel images and a clone of the project. Then it runs each step in a separate process and
measures wall and CPU time, and the peak memory of its largest process. `prepare`, the manifest, planning, `dvc status`,
`snakemake -n` and the record are real; the outputs of all other stages are stubs of one line, so the time to hash data
is not included. The folder can be deleted afterwards.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from auxseg.params.dag import shard_names

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).resolve().with_suffix(".csv")
IMAGES, SHARDS, ROUNDS = 100_000, 64, 4
LINKS = 50_000
"""Of one file, of which ext4 allows 65,000."""
LOCK_WRITES = 5
"""Measured writes of one entry of dvc.lock; as many as there are instances would take an hour."""


def make_data(root: Path, images: int) -> None:
    """Write images (hard links to a few files) and labels in the layout of a plain folder."""
    from PIL import Image

    (root / "images").mkdir(parents=True)
    sources: dict[int, Path] = {}
    with (root / "image_labels.csv").open("w") as stream:
        stream.write("image_id,labels\n")
        for index in range(images):
            path = root / "images" / f"{index:06d}.jpg"
            if index % LINKS < 2:
                Image.new("RGB", (1, 1), (index % 2, 0, 0)).save(path)
                sources[index % 2] = path
            else:
                path.hardlink_to(sources[index % 2])
            stream.write(f"{path.stem},{'cat' if index % 2 else 'dog'}\n")


def make_project(folder: Path, shards: int, rounds: int) -> None:
    """Clone the project as it is committed, with the parameters of this benchmark."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    for command in (
        ["use", "own-data"],
        ["shards", str(shards)],
        ["rounds", str(rounds)],
        ["scan"],
    ):
        subprocess.run([sys.executable, "-m", "auxseg.cli.main", *command], cwd=folder, check=True)
    params = folder / "params.yaml"
    params.write_text(params.read_text().replace("record: job", "record: controller"))


def read_manifest() -> dict:
    """Read all shards of the manifest."""
    from auxseg.datasets.manifest import read_manifest

    return {"count": len(read_manifest(Path("data/manifest")))}


def plan() -> dict:
    """Make and save the plan as Snakemake's main process does; DVC's cache has nothing to restore."""
    from auxseg.engines.plan import make_plan
    from auxseg.engines.plan_file import save_plan

    found = make_plan(dry=False)
    save_plan(found)
    return {"count": len(found)}


def write_stubs() -> dict:
    """Write a stub of every output that is missing, and the receipts that jobs without DVC leave."""
    from auxseg.engines.plan_file import load_plan
    from auxseg.engines.receipts import before, digest, write_receipt

    tasks = {address: node["task"] for address, node in load_plan().items() if "task" in node}
    for path in [Path(output) for task in tasks.values() for output in task["outputs"]]:
        stub = path if path.suffix else path / "index.html"
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(f"{path}\n")
    for address, task in tasks.items():
        outputs = {output: digest(Path(output)) for output in task["outputs"]}
        write_receipt({**before(address, task), "outputs": outputs})
    return {"count": len(tasks)}


def record() -> dict:
    """Record all receipts at once."""
    from auxseg.engines.plan import record_results
    from auxseg.engines.receipts import read_receipts

    count = len(read_receipts())
    record_results()
    return {"count": count}


def lock_writes() -> dict:
    """Write one entry of dvc.lock as a job with DVC does, under the lock, a few times."""
    from auxseg.engines.dvc_internals import lock_repo, open_repo

    with open_repo() as repo, lock_repo(repo):
        stages = [stage for stage in repo.index.stages if stage.addressing.startswith("score@")][:LOCK_WRITES]
        for stage in stages:
            stage.dump(update_pipeline=False)
    return {"count": len(stages)}


STEPS: dict[str, Callable[[], dict]] = {
    function.__name__: function for function in (read_manifest, plan, write_stubs, record, lock_writes)
}


def steps(python: str, shards: int) -> Iterator[tuple[str, list[str]]]:
    """Yield what is measured, in order: name and command."""

    def own(name: str) -> list[str]:
        return [python, __file__, "--step", name]

    first_shard = shard_names(shards)[0]

    yield "code", [python, "-m", "dvc", "repro", "--quiet", "code"]
    yield "prepare", [python, "workflow/stages/prepare.py"]
    yield "commit prepare", [python, "-m", "dvc", "commit", "--force", "--quiet", "prepare"]
    yield "read the manifest", own("read_manifest")
    yield "plan, all stale", own("plan")
    yield "snakemake -n, all stale", [python, "-m", "snakemake", "-n", "--quiet", "all"]
    yield "stub outputs and receipts", own("write_stubs")
    yield "record all, one write of dvc.lock", own("record")
    yield "plan, all fresh", own("plan")
    yield "dvc status, all fresh", [python, "-m", "dvc", "status"]
    yield "snakemake -n, all fresh", [python, "-m", "snakemake", "-n", "--quiet", "all"]
    yield "dvc repro --single-item, fresh", [python, "-m", "dvc", "repro", "--single-item", f"score@r0-{first_shard}"]
    yield f"{LOCK_WRITES} writes of one entry of dvc.lock", own("lock_writes")


def measure(name: str, command: list[str], folder: Path, data: Path) -> dict:
    """Run a command in the project; return the row of the table."""
    settings = {
        **os.environ,
        "PYTHONPATH": str(folder / "src"),
        "AUXSEG_DATA": str(data),
        "AUXSEG_LOG": "WARNING",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=settings, stdout=subprocess.PIPE, text=True)
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{name}: failed\n{printed}")
    result = json.loads(printed.splitlines()[-1]) if "--step" in command else {}
    return {
        "step": name,
        "count": result.get("count", ""),
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mb": round(usage.ru_maxrss / 1024),
    }


def main() -> None:
    """Run one step in the current folder, or all of them, each measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, help="new folder for the data and the clone")
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--shards", type=int, default=SHARDS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--to", type=Path, default=RESULTS, help="the table")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        print(json.dumps(STEPS[arguments.step]()))
        return
    data, folder = arguments.work / "data", arguments.work / "project"
    os.environ["AUXSEG_DATA"] = str(data)
    os.environ["DVC_SITE_CACHE_DIR"] = str(arguments.work / "site")
    make_data(data, arguments.images)
    make_project(folder, arguments.shards, arguments.rounds)
    rows = []
    for name, command in steps(sys.executable, arguments.shards):
        rows.append(measure(name, command, folder, data))
        print(rows[-1], flush=True)
    with arguments.to.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
