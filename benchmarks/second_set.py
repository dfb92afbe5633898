"""Run presets on MSRC v2, photographs on which nothing was chosen: 586 images, 14 classes, one round unless told.

    python benchmarks/second_set.py --msrc FOLDER --work FOLDER [--presets voc6 auxseg-best] [--rounds 1]

FOLDER has `Images/<id>.bmp` and `newsegmentations_mats/<id>_GT.mat`, the outlines that Malisiewicz and Efros made more
accurate. Objects are classes, with `face` and `body` as `person`; ground, sky and buildings are background, and an
image of nothing else shows no object; void is ignored. Left out are the three images with a horse and two copies. A
hash of the id puts a third of the images into val.

A preset is taken as it is but for the classes, and runs in a clone of this repository's HEAD below --work; clones share
a cache, so what two presets have in common runs once. Figures are written to benchmarks/second_set.csv as soon as they
are known, and a preset that has them with these rounds is not run again.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np
from clones import call, clone, head, share_cache
from PIL import Image
from scipy.io import loadmat

from auxseg.artifacts.atomic import atomic_dir, write_bytes
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import read_csv, write_csv, write_rows
from auxseg.encoded import IGNORE, encode_label
from auxseg.params.dag import chain
from auxseg.params.presets import FOLDER, find_preset, read_preset
from auxseg.params.template import render

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks/second_set.csv"

MSRC = [
    "void",
    "building",
    "grass",
    "tree",
    "cow",
    "horse",
    "sheep",
    "sky",
    "mountain",
    "aeroplane",
    "water",
    "face",
    "car",
    "bicycle",
    "flower",
    "sign",
    "bird",
    "book",
    "chair",
    "road",
    "cat",
    "dog",
    "body",
    "boat",
]
"""The names of the values in the set's masks."""
STUFF = {"building", "grass", "tree", "sky", "mountain", "water", "road"}
PERSON = {"face", "body"}
RARE = "horse"
COPIES = {"9_15_s", "9_10_s"}
"""The same bytes as 1_27_s and 1_26_s."""
CLASSES = tuple(sorted({*MSRC, "person"} - STUFF - PERSON - {RARE, "void"}))


def value_of(name: str) -> int:
    """Return what a class of the set becomes in a mask: 0 is background, 255 is ignored."""
    if name in ("void", RARE):
        return IGNORE
    return 0 if name in STUFF else CLASSES.index("person" if name in PERSON else name) + 1


def read_msrc(path: Path) -> np.ndarray:
    """Return the values of a mask, uint8 (H, W), positions in MSRC; a segment without a class is void."""
    stored = loadmat(path)
    return np.r_[0, stored["newlabels"].ravel(), 0].astype(np.uint8)[stored["newseg"]]


def make_root(source: Path, target: Path) -> None:
    """Write the set as a data root in the folder format; a root that is there is left as it is."""
    if target.exists():
        return
    if not (found := sorted((source / "newsegmentations_mats").glob("*_GT.mat"))):
        sys.exit(f"error: {source}: has no newsegmentations_mats/<id>_GT.mat; name the folder of MSRC v2 with --msrc")
    table, rows = np.array([value_of(name) for name in MSRC], np.uint8), []
    with atomic_dir(target) as folder:
        for path in found:
            image_id, stored = path.name.removesuffix("_GT.mat"), read_msrc(path)
            if image_id in COPIES or MSRC.index(RARE) in stored:
                continue
            mask = table[stored]
            (folder / "images").mkdir(exist_ok=True)
            Image.open(source / f"Images/{image_id}.bmp").convert("RGB").save(folder / f"images/{image_id}.png")
            write_bytes(folder / f"masks/{image_id}.png", encode_label(mask))
            names = [CLASSES[value - 1] for value in np.unique(mask) if value not in (0, IGNORE)]
            rows.append([image_id, ";".join(names), split_of(image_id)])
        write_csv(folder / "image_labels.csv", ["image_id", "labels", "split"], rows)


def split_of(image_id: str) -> str:
    """Return the split of an image."""
    return "val" if hashlib.sha256(image_id.encode()).digest()[0] % 3 == 0 else "train"


def run_preset(name: str, rounds: int, commit: str, project: Path, root: Path, cache_of: Path) -> list[dict]:
    """Run a preset on the set as far as the stage `summary`; return its rows of the table rounds.csv.

    Raises:
        subprocess.CalledProcessError: a stage failed; see the log beside the clone.
    """
    log = project.with_suffix(".log")
    project.parent.mkdir(parents=True, exist_ok=True)
    clone(ROOT, project, commit)
    if project != cache_of and cache_of.exists():
        share_cache(cache_of, project)
    values = read_preset(find_preset(name, ROOT / FOLDER))
    values["rounds"], values["label_rounds"] = chain(rounds)
    values["data"] |= {"format": "folder", "classes": {one: index for index, one in enumerate(CLASSES, 1)}}
    values["data"]["folder"] = {"masks": "masks"}
    (project / "params.yaml").write_text(render(values, f"{name} on MSRC v2"))
    environment = {"AUXSEG_DATA": str(root)}
    call(project, "-m", "auxseg.cli.main", "scan", log=log, settings=environment)
    call(project, "-m", "dvc", "repro", "summary", log=log, settings=environment)
    found = read_csv(Store(project).table("rounds.csv"))
    return [{"preset": name, "rounds": rounds, **row, "commit": commit[:10]} for row in found]


def main() -> None:
    """Run the presets without figures, in their order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--msrc", type=Path, required=True, help="the folder with Images and newsegmentations_mats")
    parser.add_argument("--work", type=Path, required=True, help="for the data root and the clones")
    parser.add_argument("--presets", nargs="+", default=["voc6", "auxseg-best"])
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    root, work, commit = arguments.work / "msrc", arguments.work, head(ROOT)
    make_root(arguments.msrc, root)
    rows: list[dict] = read_csv(RESULTS) if RESULTS.exists() else []
    for name in arguments.presets:
        if not any((row["preset"], row["rounds"]) == (name, str(arguments.rounds)) for row in rows):
            rows += run_preset(name, arguments.rounds, commit, work / name, root, work / arguments.presets[0])
            write_rows(RESULTS, rows)


if __name__ == "__main__":
    main()
