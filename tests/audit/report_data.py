"""Tiny artifacts of every stage that the report reads, made with the project's own writers."""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from auxseg.artifacts.archive import write_archive
from auxseg.artifacts.atomic import write_json
from auxseg.artifacts.tables import write_rows
from auxseg.artifacts.tensors import write_tensors
from auxseg.audit.sources import Sources
from auxseg.datasets.manifest import (
    ClassTable,
    ImageRecord,
    read_mask_list,
    shard_of,
    write_manifest,
    write_mask_list,
)
from auxseg.images import encode_grey, encode_label

CLASSES = ClassTable(("cat", "<b>dog</b>"), (1, 2))
SHARDS = ("00", "01")
ODD_ID = """a"b'<script>x</script>&c"""
GREY = 100
"""Every photo is of this grey, so that the colour of an overlay is known."""


def label_of(height: int, width: int) -> np.ndarray:
    """Return a label: left third 1, middle third background, right third 255."""
    label = np.zeros((height, width), np.uint8)
    label[:, : width // 3], label[:, -(width // 3) :] = 1, 255
    return label


def make(work: Path, rounds: int = 2, train: int = 5, val: int = 3, masks: bool = True, size: tuple = (60, 90)) -> None:
    """Write data/ under `work` and photos under `work`/raw: `rounds` trainings, labels `label_of`."""
    rng = np.random.default_rng(0)
    height, width = size
    ids = {"train": [ODD_ID, *(f"t{n:03d}" for n in range(train - 1))], "val": [f"v{n:03d}" for n in range(val)]}
    (work / "raw").mkdir(parents=True)
    records, mask_list = [], {}
    for split, names in ids.items():
        for number, name in enumerate(names):
            path = f"{split}{number}.png"
            Image.new("RGB", (width, height), (GREY,) * 3).save(work / "raw" / path)
            digest = hashlib.sha256((work / "raw" / path).read_bytes()).hexdigest()
            labels = CLASSES.names if number % 2 == 0 else ("cat",)
            records.append(ImageRecord(name, path, width, height, split, labels, digest))
            if masks:
                content = encode_label(label_of(height, width))
                (work / "raw" / f"mask-{path}").write_bytes(content)
                mask_list[name] = (f"mask-{path}", hashlib.sha256(content).hexdigest())
    data = work / "data"
    write_manifest(data / "manifest", records, CLASSES, SHARDS)
    dataset = {"format": "folder", "unlisted": "error", "scenes": None}
    write_json(data / "manifest/dataset.json", dataset)
    write_mask_list(data / "masks", mask_list, SHARDS)

    grey, label = encode_grey(np.full(size, 0.5)), encode_label(label_of(height, width))
    names = [f"r{number}" for number in range(rounds + 1)]
    for shard in SHARDS:
        own = [record for record in records if shard_of(record.id, SHARDS) == shard]
        own_train = [record for record in own if record.split == "train"]
        write_archive(data / f"saliency/{shard}.zip", {f"{record.id}.png": grey for record in own})
        for name in names:
            write_archive(data / f"labels/{name}/{shard}.zip", {f"{r.id}.png": label for r in own_train})
            write_archive(data / f"saliency_labels/{name}/{shard}.zip", {f"{r.id}.png": grey for r in own_train})
            maps = {}
            for record in own_train if name == "r0" else own:
                grid = (height // 10, width // 10)
                maps[f"{record.id}.cam"] = rng.random((len(record.labels), *grid)).astype(np.float16)
                if name != "r0":
                    maps[f"{record.id}.saliency"] = rng.random(grid).astype(np.float16)
                    maps[f"{record.id}.prediction"] = label_of(*grid) % 255
                    maps[f"{record.id}.confidence"] = rng.random(grid).astype(np.float16)
            write_tensors(data / f"maps/{name}/{shard}.safetensors", maps)
    for name in names[1:]:
        write_archive(data / f"predictions/{name}.zip", {f"{record}.png": label for record in ids["val"]})
    _write_summary(data / "summary", names if masks else [])


def _write_summary(folder: Path, names: list[str]) -> None:
    empty = {"round": None, "what": None, "set": None, "miou": None, "precision": None, "recall": None}
    kinds = [(name, "labels", "train") for name in names] + [(name, "model", "val") for name in names[1:]]
    rows = [
        {"round": name, "what": what, "set": split, "miou": 40.0 + index, "precision": 80.25, "recall": None}
        for index, (name, what, split) in enumerate(kinds)
    ]
    per_class = [
        {"round": name, "what": what, "class": class_name, "iou": 12.34, "precision": 1.0, "recall": float("nan")}
        for name, what, _ in kinds
        for class_name in CLASSES.with_background
    ]
    write_rows(folder / "rounds.csv", rows or [empty])
    write_rows(folder / "classes.csv", per_class or [empty])


def sources(work: Path) -> Sources:
    """Return the folders under `work` as the stage would."""
    data = work / "data"
    folders = {name: data / name for name in ("saliency", "maps", "labels", "saliency_labels", "predictions")}
    masks = read_mask_list(data / "masks", SHARDS)
    return Sources(photos=work / "raw", classes=CLASSES, shards=SHARDS, masks=masks, unlisted="error", **folders)
