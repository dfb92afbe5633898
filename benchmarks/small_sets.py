"""Measure the preset `own-data` on small data sets: subsets of a data set in VOC layout, labels and models by round.

    python benchmarks/small_sets.py --data FOLDER --work FOLDER --images 20 60 200 600 --subsets 0 1 2
    python benchmarks/small_sets.py --data FOLDER --images 60 --subsets 0 --set network.variant=auxsegnet_plus
    python benchmarks/small_sets.py --collect

Subsets are drawn by a hash of the ids, with balanced classes. Subsets with the same number are nested: the 60 images
are the 20 images and 40 more. Each runs in a clone of this repository's HEAD below --work, with the preset and two
changes: the data set's masks are used for measuring (no stage that leads to a model reads them), and val is the first
--val images of the data set's own val list, the same for every subset, so a setting that is chosen by the models of one
subset is chosen on the val images of all. Figures are written to benchmarks/own_data.csv as soon as they are known, and
a subset that has them is not run again, so a killed run continues. At the end, the table in docs/own-data.md is
updated.
"""

import argparse
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path

import pandas
import yaml
from clones import call, clone, head

from auxseg.artifacts.atomic import write_text
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import read_csv, write_csv, write_rows
from auxseg.datasets.csv_tags import read_csv_tags
from auxseg.datasets.voc import LISTS
from auxseg.errors import DataError
from auxseg.guard.record import read_judgements
from auxseg.params.data import VOC_CLASSES
from auxseg.params.presets import read_preset
from auxseg.params.template import render

ROOT = Path(__file__).resolve().parents[1]
RESULTS, PAGE = ROOT / "benchmarks/own_data.csv", ROOT / "docs/own-data.md"
PRESET = ROOT / "params/presets/own-data.yaml"
COLUMNS = (
    "images",
    "subset",
    "settings",
    "round",
    "what",
    "set",
    "miou",
    "precision",
    "recall",
    "good",
    "cpu_minutes",
    "commit",
)
MARKER = re.compile(r"<!-- own-data table -->\n.*?<!-- end -->", re.DOTALL)
SHOWN = ("labels", "model", "model+ms+crf")


def draw_subset(
    tags: dict[str, tuple[str, ...]], count: int, number: int, limits: Mapping[str, int] | None = None
) -> list[str]:
    """Return `count` ids; each next one shows the class that the fewest ids before it show.

    `limits` maps a class to the most ids that may show it.

    Raises:
        DataError: there are fewer ids.
    """
    limits = dict(limits or {})
    left = sorted(tags, key=lambda image_id: hashlib.sha256(f"subset {number} {image_id}".encode()).digest())
    shown = {name: 0 for names in tags.values() for name in names}
    chosen: list[str] = []
    while len(chosen) < count:
        for full in [name for name, most in limits.items() if shown.get(name) == most]:
            del shown[full]
            left = [image_id for image_id in left if full not in tags[image_id]]
        if not shown:
            raise DataError(f"{count} images asked for, and the training list has {len(chosen)} that fit")
        rarest = min(sorted(shown), key=shown.__getitem__)
        image_id = next((image_id for image_id in left if rarest in tags[image_id]), None)
        if image_id is None:
            del shown[rarest]  # no image of it is left
            continue
        left.remove(image_id)
        chosen.append(image_id)
        for name in tags[image_id]:
            if name in shown:
                shown[name] += 1
    return sorted(chosen)


def make_root(
    source: Path, target: Path, count: int, number: int, val: int, limits: Mapping[str, int] | None = None
) -> tuple[str, ...]:
    """Make a data root in the folder format, of links; return its class names."""
    lists = {split: (source / LISTS / f"{split}.txt").read_text().split() for split in ("train", "val")}
    tags = {key: row.names for key, row in read_csv_tags(source / "image_labels.csv", VOC_CLASSES).rows.items()}
    train = draw_subset({key: tags[key] for key in lists["train"]}, count, number, limits)
    shutil.rmtree(target, ignore_errors=True)
    for folder in ("images", "masks"):
        (target / folder).mkdir(parents=True)
    rows = [[key, ";".join(tags[key]), "train"] for key in train]
    rows += [[key, "", "val"] for key in lists["val"][:val]]
    for key, _, _ in rows:
        for kind, name in (("images", f"JPEGImages/{key}.jpg"), ("masks", f"SegmentationClass/{key}.png")):
            (target / kind / Path(name).name).symlink_to((source / name).resolve())
    write_csv(target / "image_labels.csv", ["image_id", "labels", "split"], rows)
    return tuple(sorted({name for key in train for name in tags[key]}))


def run_subset(
    project: Path,
    source: Path,
    count: int,
    number: int,
    val: int,
    settings: Sequence[str],
    limits: Mapping[str, int] | None = None,
) -> list[dict]:
    """Run one subset as far as the stage `summary`; return its rows of the table rounds.csv.

    Raises:
        subprocess.CalledProcessError: a stage failed; see the log beside the clone.
    """
    commit, log, root = head(ROOT), project.with_suffix(".log"), project.with_name(f"{project.name}-data")
    project.parent.mkdir(parents=True, exist_ok=True)
    clone(ROOT, project, commit)
    names = make_root(source, root, count, number, val, limits)
    values = read_preset(PRESET)
    values["data"]["classes"] = {name: VOC_CLASSES.index(name) + 1 for name in names}
    values["data"]["folder"]["masks"] = "masks"
    for setting in settings:
        key, _, value = setting.partition("=")
        *above, last = key.split(".")
        reduce(dict.__getitem__, above, values)[last] = yaml.safe_load(value)
    values["runtime"]["threads"] = 1  # one subset a core is quicker than one subset on all cores
    (project / "params.yaml").write_text(render(values, f"own-data on {count} images, subset {number}"))
    environment = {"AUXSEG_DATA": str(root)}
    call(project, "-m", "auxseg.cli.main", "scan", log=log, settings=environment)
    call(project, "-m", "dvc", "--wait-for-lock", "repro", "summary", log=log, settings=environment)
    minutes = cpu_minutes(project / "logs/times.csv")
    store = Store(project)
    good = {
        one.round: "yes" if one.good else "no"
        for one in read_judgements(store, map(Round.parse, values["label_rounds"]))
    }
    return [
        {
            **row,
            "images": count,
            "subset": number,
            "settings": " ".join(settings),
            "good": good[row["round"]],
            "cpu_minutes": f"{minutes:.1f}",
            "commit": commit[:10],
        }
        for row in read_csv(store.table("rounds.csv"))
        if row["what"] in SHOWN
    ]


def cpu_minutes(times: Path) -> float:
    """Return the CPU time of the last run of all instances; wall time would depend on what else the machine does."""
    table = pandas.read_csv(times, names=["stage", "key", "wall", "cpu", "memory"], dtype={"key": str})
    return table.drop_duplicates(["stage", "key"], keep="last")["cpu"].sum() / 60


def markdown(results: Sequence[dict[str, str]]) -> str:
    """Return the table: one line per number of images; mIoU in per cent, mean and, in brackets, minimum and maximum."""
    table = pandas.DataFrame(results).astype({"images": int, "miou": float, "cpu_minutes": float})
    table = table[table["settings"] == ""]
    rounds = sorted(table["round"].unique(), key=Round.parse)
    last = rounds[-1]
    lines = [
        [
            "images",
            "subsets",
            *(f"labels {name}" for name in rounds),
            "gain",
            "rounds called bad",
            f"model {last}, single scale",
            f"model {last}, multi-scale + CRF",
            "CPU minutes",
        ],
    ]
    for count, own in table.groupby("images"):
        miou = own.pivot(index="subset", columns=["what", "round"], values="miou")
        judged = own.drop_duplicates(["subset", "round"])
        lines.append(
            [
                str(count),
                str(len(miou)),
                *(_spread(miou["labels", name]) for name in rounds),
                _spread(miou["labels", last] - miou["labels", rounds[0]], sign="+"),
                f"{(judged['good'] == 'no').sum()} of {len(miou) * len(rounds)}",
                _spread(miou["model", last]),
                _spread(miou["model+ms+crf", last]),
                _spread(own.groupby("subset")["cpu_minutes"].first()),
            ]
        )
    rule = ["---"] * len(lines[0])
    return "\n".join("| " + " | ".join(line) + " |" for line in [lines[0], rule, *lines[1:]])


def _spread(values: pandas.Series, sign: str = "") -> str:
    if values.nunique() == 1:
        return f"{values.mean():{sign}.1f}"
    return f"{values.mean():{sign}.1f} ({values.min():{sign}.1f} to {values.max():{sign}.1f})"


def main() -> int:
    """Run what is missing, and update the table."""
    arguments = _parser().parse_args()
    os.chdir(ROOT)
    for count in () if arguments.collect else arguments.images:
        for number in arguments.subsets:
            kept = read_csv(RESULTS) if RESULTS.exists() else []
            name, wanted = f"{count} images, subset {number}", (str(count), str(number), " ".join(arguments.set))
            if any((row["images"], row["subset"], row["settings"]) == wanted for row in kept):
                print(f"{name}: kept", flush=True)
                continue
            print(f"{name}: running", flush=True)
            # settings may have characters and lengths that a path cannot have
            settings = [hashlib.sha256(wanted[2].encode()).hexdigest()[:8]] if arguments.set else []
            project = arguments.work.resolve() / "-".join([str(count), str(number), *settings])
            rows = run_subset(project, arguments.data.resolve(), count, number, arguments.val, arguments.set)
            kept = read_csv(RESULTS) if RESULTS.exists() else []
            write_rows(RESULTS, sorted([*kept, *rows], key=_order), COLUMNS)
            if not arguments.keep:
                shutil.rmtree(project)
    if RESULTS.exists() and PAGE.exists():
        table = f"<!-- own-data table -->\n\n{markdown(read_csv(RESULTS))}\n\n<!-- end -->"
        write_text(PAGE, MARKER.sub(lambda _: table, PAGE.read_text()))
    return 0


def _order(row: dict) -> tuple:
    numbers = int(row["images"]), int(row["subset"]), Round.parse(row["round"])
    return row["settings"], *numbers, SHOWN.index(row["what"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", type=Path, metavar="FOLDER", help="a data set in VOC layout with image_labels.csv")
    parser.add_argument(
        "--work", type=Path, default=ROOT / ".auxseg/small_sets", metavar="FOLDER", help="for the clones"
    )
    parser.add_argument("--images", type=int, nargs="+", default=[20, 60, 200, 600])
    parser.add_argument("--subsets", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="other values than the preset's")
    parser.add_argument("--val", type=int, default=100, help="images of val to measure models on")
    parser.add_argument("--keep", action="store_true", help="leave the clones, with all artifacts")
    what.add_argument("--collect", action="store_true", help="only update the table in docs/own-data.md")
    return parser


if __name__ == "__main__":
    sys.exit(main())
