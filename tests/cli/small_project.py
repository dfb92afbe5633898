"""A small project whose artifacts are written by hand: rounds r0 and r1, one shard, one train and two val images."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from auxseg.artifacts.archive import write_archive
from auxseg.artifacts.atomic import write_json
from auxseg.artifacts.rounds import Round
from auxseg.artifacts.store import Store
from auxseg.artifacts.tensors import write_tensors
from auxseg.datasets.manifest import ClassTable, ImageRecord, write_manifest
from auxseg.encoded import encode_label
from auxseg.guard.record import Judgement

CLASSES = ClassTable(("cat", "dog"), (8, 12))
RECORD = ImageRecord("a", "images/a.jpg", 24, 16, "train", ("cat", "dog"), "")
VAL = tuple(ImageRecord(key, f"images/{key}.jpg", 24, 16, "val", ("dog",), "") for key in ("b", "c"))
LABEL = np.arange(16 * 24, dtype=np.uint8).reshape(16, 24) % 3
CAMS = np.random.default_rng(0).random((2, 4, 6)).astype(np.float16)
PARAMS = {
    "rounds": {"r1": "r0"},
    "label_rounds": ["r0", "r1"],
    "shards": ["00"],
    "runtime": {"threads": 1, "precision": "float32"},
    "data": {"format": "folder"},
    "backbone": {"name": "resnet18", "weights": "random", "output_stride": 32},
    "network": {"channels": 8},
    "evaluate": {"scales": [1.0], "flip": False},
}


def make_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the project and make it the current folder: labels with one ignored pixel, CAMs, predictions, photos."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)
    monkeypatch.setenv("AUXSEG_DATA", str(folder / "set"))
    Path("dvc.yaml").touch()
    Path("params.yaml").write_text(yaml.safe_dump(PARAMS))
    write_manifest(Path("data/manifest"), [RECORD, *VAL], CLASSES, ["00"])
    write_json(Path("data/manifest/dataset.json"), {"format": "folder", "scenes": None, "unlisted": "error"})
    label = LABEL.copy()
    label[0, 0] = 255
    for name in ("r0", "r1"):
        write_archive(Path(f"data/labels/{name}/00.zip"), {"a.png": encode_label(label)})
    dogs = np.full((16, 24), 2, np.uint8)
    dogs[:, :6] = 0
    write_archive(Path("data/predictions/r1.zip"), {f"{one.id}.png": encode_label(dogs) for one in VAL})
    write_tensors(Path("data/maps/r1/00.safetensors"), {"a.cam": CAMS})
    Path("set/images").mkdir(parents=True)
    for record in (RECORD, *VAL):
        Image.fromarray(np.full((16, 24, 3), 100, np.uint8)).save(Path("set") / record.path)


def judge(name: str, *, best: str, reasons: tuple[str, ...] = (), advice: tuple[str, ...] = ()) -> None:
    """Write what the guard found in a round; it is good without reasons."""
    reference = "r0" if name == "r0" else f"r{int(name[1:]) - 1}"
    Judgement(name, reference, not reasons, best, reasons, advice, {}, {}).write(Store().judgement(Round.parse(name)))
