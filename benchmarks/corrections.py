"""What correcting the worst labels by hand brings: the next round with and without it, in a copy of a finished project.

    python benchmarks/corrections.py --project FOLDER --work FOLDER [--round rN] [--worst 10] [--to corrections.csv]

For a project whose training images have masks, with its report. The worst labels by the report's own order are exported
to labelme's format, the polygons of their masks take the place of theirs, as if a person had drawn them, and they are
imported. Rows are printed and kept the moment they are there, and rows that are kept are not made again; so a run that
was killed continues, in the same --work. AUXSEG_DATA names the images, as for the project itself.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

import numpy as np
from clones import call, head, share_cache

from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import read_csv, write_rows
from auxseg.audit.ranking import KEYS
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.masks import Masks
from auxseg.errors import DataError
from auxseg.formats.labelme import LabelmeWriter
from auxseg.formats.writer import Item, Options
from auxseg.params.dag import read_params
from auxseg.review.corrections import read_corrections

COLUMNS = (
    "project",
    "corrected_round",
    "by",
    "worst",
    "corrections",
    "touched",
    "images",
    "round",
    "what",
    "set",
    "miou",
    "precision",
    "recall",
    "commit",
)
SHOWN = ("labels", "model", "model+ms", "model+ms+crf")
MAIN = ("-m", "auxseg.cli.main")


def copy_project(project: Path, copy: Path) -> None:
    """Copy a project without its cache, which both use; one that is there already stays as it is."""
    if copy.exists():
        return
    unfinished = copy.with_name(f".tmp-{copy.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(project, unfinished, symlinks=True, ignore=_left_out)
    share_cache(project, unfinished)
    unfinished.rename(copy)


def _left_out(folder: str, names: list[str]) -> set[str]:
    return {"cache", "tmp"} & set(names) if Path(folder).name == ".dvc" else {".snakemake", ".venv"} & set(names)


def draw_masks(folder: Path) -> int:
    """Replace the shapes of exported labelme files by the masks of their images; return how many have one.

    The current folder is the project.
    """
    dataset, drawn = Dataset(Store()), 0
    masks = Masks.of(dataset)
    options = Options(
        dataset.classes.with_background, np.arange(256, dtype=np.uint8), "masks", folder.resolve(), tolerance=0
    )
    for path in sorted(folder.glob("**/*.json")):
        image_id = path.relative_to(folder).with_suffix("").as_posix()
        if image_id in masks:
            LabelmeWriter(folder, options).write(Item(image_id, "train", f"{image_id}.jpg", masks[image_id]))
            drawn += 1
    return drawn


def measure(kept: list[dict], results: Path, next_round: str, settings: dict, log: Path) -> list[dict]:
    """Run the current project to its summary; add its rows to the results, print them and return all."""
    call(Path.cwd(), "-m", "dvc", "--wait-for-lock", "repro", "summary", log=log)
    own = [one for one in read_corrections(Store().corrections) if one.round == settings["corrected_round"]]
    images = len(Dataset(Store()).records("train"))
    found = [
        {**settings, **row, "touched": len(own), "images": images}
        for row in read_csv(Store().table("rounds.csv"))
        if row["round"] == next_round and row["what"] in SHOWN
    ]
    write_rows(results, [*kept, *found], COLUMNS)
    for row in found:
        print(",".join(str(row[name]) for name in COLUMNS), flush=True)
    return [*kept, *found]


def main() -> int:
    """Measure what is missing."""
    arguments = _parser().parse_args()
    project, results = arguments.project.resolve(), arguments.to.resolve()
    work = arguments.work.resolve()
    os.chdir(project)
    name = arguments.round or read_params()["label_rounds"][-2]
    following = str(Round(Round.parse(name).number + 1))
    copy = work / f"{project.name}-{name}-{arguments.by}-{arguments.worst}"
    log, fix = copy.with_suffix(".log"), copy / "fix"
    choice = {
        "project": project.name,
        "corrected_round": name,
        "by": arguments.by,
        "worst": arguments.worst,
        "commit": head(project)[:10],
    }
    kept = read_csv(results) if results.exists() else []
    keys = ("project", "corrected_round", "by", "worst", "corrections")
    done = {tuple(row[key] for key in keys) for row in kept}
    wanted = [state for state in ("without", "with") if (*(str(choice[key]) for key in keys[:4]), state) not in done]
    print(",".join(COLUMNS))
    if not wanted:
        print(f"all rows are in {results}", file=sys.stderr)
        return 0
    work.mkdir(parents=True, exist_ok=True)
    copy_project(project, copy)
    os.chdir(copy)
    if not fix.exists():
        export = ["--round", name, "--worst", str(arguments.worst), "--by", arguments.by, "--to", fix.name]
        call(copy, *MAIN, "corrections", "export", *export, log=log)  # before the report of all rounds is gone
    call(copy, *MAIN, "rounds", following[1:], log=log)
    if "without" in wanted:
        if read_corrections(Store().corrections):
            raise DataError(f"{copy}: has corrections already; remove it, and run this again")
        kept = measure(kept, results, following, {**choice, "corrections": "without"}, log)
    if "with" in wanted:
        print(f"{draw_masks(fix)} labels replaced by their masks", file=sys.stderr)
        call(copy, *MAIN, "corrections", "import", fix.name, "--round", name, log=log)
        measure(kept, results, following, {**choice, "corrections": "with"}, log)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--project", type=Path, required=True, help="finished, with masks and the report")
    parser.add_argument("--work", type=Path, required=True, metavar="FOLDER", help="for the copy of the project")
    parser.add_argument("--round", metavar="rN", help="round of the labels; default: the last but one")
    parser.add_argument("--worst", type=int, default=10, metavar="N")
    parser.add_argument("--by", choices=KEYS, default="ignored", help="figure of the report that orders")
    parser.add_argument("--to", type=Path, default=Path("corrections.csv"), metavar="FILE", help="CSV of the results")
    return parser


if __name__ == "__main__":
    sys.exit(main())
