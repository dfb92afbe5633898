"""A small project for `auxseg corrections`: round r1 has the labels of the images a and d; and what a person does."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import small_project
from PIL import Image
from small_project import CLASSES, LABEL, RECORD, VAL

from auxseg.artifacts.archive import Archive, write_archive
from auxseg.artifacts.tables import read_csv
from auxseg.audit.scripts import data_script
from auxseg.cli.main import main
from auxseg.datasets.manifest import ImageRecord, write_manifest
from auxseg.encoded import encode_label
from auxseg.review.corrections import write_corrections
from auxseg.review.verdicts import label_hashes

FOLDER = Path("review/corrections")
OTHER = ImageRecord("d", "images/d.jpg", 24, 16, "train", ("cat",), "of d")
EXPECTED = {"a": 0.5, "d": 0.25}


def make_project(tmp_path, monkeypatch):
    """Make the project the current folder: rounds r0 and r1, with a report."""
    small_project.make_project(tmp_path, monkeypatch)
    write_manifest(Path("data/manifest"), [RECORD, OTHER, *VAL], CLASSES, ["00"])
    labels = {"a": LABEL, "d": np.where(LABEL == 2, 255, LABEL).astype(np.uint8)}
    for name in ("r0", "r1"):
        write_archive(Path(f"data/labels/{name}/00.zip"), {f"{key}.png": encode_label(labels[key]) for key in labels})
    write_corrections(FOLDER / "corrections.csv", [])
    Image.fromarray(np.full((16, 24, 3), 50, np.uint8)).save("set/images/d.jpg")
    hashes = label_hashes([Path("data/labels/r1/00.zip")])
    page = {
        "label": [hashes["a"], hashes["d"]],
        "figures": {"expected_iou": list(EXPECTED.values()), "margin": [0.1, None]},
    }
    write_script("base", {"rounds": ["r0", "r1"], "records": {"train": {"id": ["a", "d"]}}})
    write_script("r1-train", page)


def write_script(name, value):
    path = Path(f"data/audit/index/{name}.js")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data_script(f"index/{name}", value))


def export(*more, worst="2", to="out"):
    return main(["corrections", "export", "--round", "r1", "--worst", worst, "--to", to, *more])


def take(path="out", *more):
    return main(["corrections", "import", str(path), "--round", "r1", *more])


def draw(name="out/a.json", label="cat", points=((0, 0), (9, 0), (9, 5)), kind="polygon"):
    """Add a polygon on top, as a person does in labelme."""
    content = json.loads(Path(name).read_text())
    shape = {"label": label, "points": [list(point) for point in points], "shape_type": kind}
    Path(name).write_text(json.dumps({**content, "shapes": [*content["shapes"], shape]}))


def rows():
    return read_csv(FOLDER / "corrections.csv")


def annotate(change=lambda key, result: result, predictions=()):
    """Export the project from Label Studio, with every prediction accepted after `change`."""
    tasks = json.loads(Path("out/tasks.json").read_text())
    done = []
    for number, task in enumerate(tasks, 1):
        result = change(task["data"]["image_id"], task["predictions"][0]["result"])
        annotations = [] if result is None else [{"id": 5, "was_cancelled": False, "result": result}]
        given = task["predictions"] if predictions == "whole" else list(predictions)
        done.append({"id": number, "data": task["data"], "annotations": annotations, "predictions": given})
    Path("out/project.json").write_text(json.dumps(done))
    return "out/project.json"


def rename(old, new):
    """Give the image d another id, with its label."""
    record = dataclasses.replace(OTHER, id=new, path=f"images/{old}.jpg")
    write_manifest(Path("data/manifest"), [RECORD, record, *VAL], CLASSES, ["00"])
    labels = dict(Archive(Path("data/labels/r1/00.zip")))
    labels[f"{new}.png"] = labels.pop(f"{old}.png")
    write_archive(Path("data/labels/r1/00.zip"), labels)
    hashes = label_hashes([Path("data/labels/r1/00.zip")])
    page = {"label": [hashes["a"], hashes[new]], "figures": {"expected_iou": [0.5, 0.25]}}
    write_script("base", {"rounds": ["r0", "r1"], "records": {"train": {"id": ["a", new]}}})
    write_script("r1-train", page)
