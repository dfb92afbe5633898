"""Run the demo with several seeds, and the same network fully supervised: does `scenes` behave like real data sets?

    python benchmarks/scenes_seeds.py --seeds 0 1 2
    python benchmarks/scenes_seeds.py --seeds 0 1 2 --steps auxseg-best

Each seed runs in a fresh clone of this repository's HEAD below --work, with that seed for the data set and for both
trainings. Its figures are written to benchmarks/scenes/seed<k>.csv as soon as they are known: those of the pipeline,
then those of the fully supervised network. What a file already has is not run again. At the end,
benchmarks/scenes/summary.csv gets mean and standard deviation over seeds, in per cent.

--steps adds what a preset changes in the one that it extends, on a set for which none of it was chosen; the results are
in benchmarks/scenes-<preset>/ then, and no network is trained on the masks.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import yaml
from clones import call, clone, head

from auxseg.artifacts.frames import read_frame, write_frame
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import read_csv, write_rows
from auxseg.params.overrides import Overrides, override
from auxseg.params.presets import FOLDER, find_preset, read_preset

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks"
PRESETS = ROOT / FOLDER
SUPERVISED = "fully supervised"
SUPERVISED_EPOCHS = 20
"""Twice what the demo's two rounds have: a bound on the network, not on the demo's minutes."""


def main() -> None:
    """Run what is missing, then summarise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", metavar="PRESET", help="with what this preset changes, e.g. auxseg-best")
    parser.add_argument("--work", type=Path, default=ROOT / ".auxseg/scenes")
    arguments = parser.parse_args()
    name = f"scenes-{arguments.steps}" if arguments.steps else "scenes"
    for seed in arguments.seeds:
        run_missing(seed, arguments.work / name / f"seed{seed}", _file(name, seed), arguments.steps)
    summarise([_file(name, seed) for seed in arguments.seeds])


def _file(name: str, seed: int) -> Path:
    return RESULTS / name / f"seed{seed}.csv"


def run_missing(seed: int, folder: Path, target: Path, steps: str | None = None) -> None:
    """Run what is missing in a seed's file, the pipeline or the supervised network, and add it."""
    rows: list[dict] = read_csv(target) if target.exists() else []
    kept = {row["what"].partition(",")[0] for row in rows}
    if "model" not in kept:
        rows = [{"seed": seed, **row} for row in run_pipeline(seed, folder, steps)] + rows
        write_rows(target, rows)
    if SUPERVISED not in kept and steps is None:
        rows += [{"seed": seed, **row} for row in run_supervised(seed, folder)]
        write_rows(target, rows)


def project(seed: int, folder: Path, steps: str | None = None) -> Path:
    """Make the clone with the seed's parameters; an interrupted run continues in its old clone."""
    if not folder.exists():
        clone(ROOT, folder, head(ROOT))
    params = read_preset(find_preset("demo", PRESETS))
    if steps is not None:
        params = override(params, changes(steps, params["train"]["epochs"]), steps)
    params["data"]["scenes"]["seed"] = params["classify"]["seed"] = params["train"]["seed"] = seed
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    return folder


def changes(preset: str, epochs: int) -> Overrides:
    """Return what a preset changes in the one that it extends; it makes `epochs` longer in proportion."""
    own: dict[str, Any] = yaml.safe_load(find_preset(preset, PRESETS).read_text())
    parent = read_preset(find_preset(own.pop("extends"), PRESETS))
    own["train"]["epochs"] = round(epochs * own["train"]["epochs"] / parent["train"]["epochs"])
    return own


def run_pipeline(seed: int, folder: Path, steps: str | None = None) -> list[dict]:
    """Run the pipeline for one seed; return the rows of its summary."""
    call(project(seed, folder, steps), "-m", "dvc", "repro", "summary")
    return read_csv(Store(folder).table("rounds.csv"))


def run_supervised(seed: int, folder: Path) -> list[dict]:
    """Train on the masks for one seed; the network starts from the pipeline's classifier."""
    call(project(seed, folder), "-m", "dvc", "repro", "classify")
    printed = call(folder, str(ROOT / "benchmarks/supervised.py"), "--epochs", str(SUPERVISED_EPOCHS), capture=True)
    upper = json.loads(printed.splitlines()[-1])
    return [
        {"round": "", "what": f"{SUPERVISED}, {what}", "set": "val", "miou": upper[key], "precision": "", "recall": ""}
        for what, key in (("single scale", "val_miou"), ("ms+crf", "val_miou_ms_crf"))
    ]


def summarise(files: list[Path]) -> None:
    """Write and print mean and spread over the seeds."""
    figures = read_frame(files, {"round": str, "what": str, "set": str, "miou": float})
    groups = figures.groupby(["round", "what", "set"], sort=False)["miou"]
    summary = files[0].with_name("summary.csv")
    write_frame(summary, groups.agg(seeds="count", mean_miou="mean", spread="std").reset_index())
    print(summary.read_text(), end="")


if __name__ == "__main__":
    main()
