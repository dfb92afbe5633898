"""Tiny artifacts of every stage that the report reads, made with the project's own writers and rules."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from auxseg.artifacts.archive import write_archive
from auxseg.artifacts.atomic import write_json
from auxseg.artifacts.store import Store
from auxseg.artifacts.tables import write_rows
from auxseg.artifacts.tensors import write_tensors
from auxseg.audit.sources import Sources
from auxseg.datasets.contradictions import Contradictions
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import (
    ClassTable,
    ImageRecord,
    shard_of,
    write_manifest,
    write_mask_list,
)
from auxseg.datasets.masks import Masks
from auxseg.encoded import decode_grey, encode_grey, encode_label
from auxseg.fusion import fuse
from auxseg.guard.figures import FIGURES
from auxseg.guard.record import Judgement
from auxseg.maps import upsample
from auxseg.params.labels import LabelsParams
from auxseg.review.uses import TrainingUse, write_uses

CLASSES = ClassTable(("cat", "<b>dog</b>", "__proto__"), (1, 2, 3))
SHARDS = ("00", "01")
ODD_ID = """a"b'<script>x</script>&c"""
NEGATIVE_ID = "t002"
"""A train image without any object."""
UNLABELLED_ID = "v002"
"""A val image whose image-level labels are unknown."""
RULE = LabelsParams(background_threshold=0.5)


def make(work: Path, rounds: int = 2, train: int = 5, val: int = 3, masks: bool = True, size: tuple = (61, 90)) -> None:
    """Write data/ under `work` and photos under `work`/raw; labels are the fusion of random smooth maps."""
    rng = np.random.default_rng(0)
    height, width = size
    ids = {"train": [ODD_ID, *(f"t{n:03d}" for n in range(train - 1))], "val": [f"v{n:03d}" for n in range(val)]}
    (work / "raw").mkdir(parents=True)
    records, mask_list = [], {}
    for split, names in ids.items():
        for number, name in enumerate(names):
            path = f"{split}{number}.png"
            Image.fromarray(_blobs(rng, (height, width, 3))).save(work / "raw" / path)
            digest = hashlib.sha256((work / "raw" / path).read_bytes()).hexdigest()
            tags = CLASSES.names[:2] if number % 2 == 0 else ("cat",)
            if name in (NEGATIVE_ID, UNLABELLED_ID):
                tags = ()
            is_tagged = name != UNLABELLED_ID
            records.append(ImageRecord(name, path, width, height, split, tags, digest, is_tagged=is_tagged))
            if masks:
                content = encode_label(_classes(rng, size))
                (work / "raw" / f"mask-{path}").write_bytes(content)
                mask_list[name] = (f"mask-{path}", hashlib.sha256(content).hexdigest())
    data = work / "data"
    write_manifest(data / "manifest", records, CLASSES, SHARDS)
    write_json(data / "manifest/dataset.json", {"format": "folder", "unlisted": "error", "scenes": None})
    write_mask_list(data / "masks", mask_list, SHARDS)
    Contradictions(len(mask_list)).write(data / "contradictions.json")
    names = [f"r{number}" for number in range(rounds + 1)]
    for shard in SHARDS:
        own = [record for record in records if shard_of(record.id, SHARDS) == shard]
        _write_shard(data, shard, own, names, size, rng)
    for name in names:
        write_tensors(data / f"models/{name}.safetensors", {"weight": np.full(3, int(name[1:]), np.float32)})
        write_archive(data / f"corrections/{name}.zip", {})
        write_uses(data / f"review/{name}.csv", dict.fromkeys(ids["train"], TrainingUse()))
        Judgement(name, "r0", True, name, (), (), dict.fromkeys(FIGURES), dict.fromkeys(FIGURES)).write(
            data / f"guard/{name}.json"
        )
    for name in names[1:]:
        write_archive(
            data / f"predictions/{name}.zip",
            {f"{record}.png": encode_label(_classes(rng, size)) for record in ids["val"]},
        )
    _write_summary(data / "summary", names if masks else [])
    # what needs no mask
    write_rows(data / "summary/labels.csv", [{"round": name, "class": "all", "pixels": 7} for name in names])


def _write_shard(data: Path, shard: str, own: list, names: list[str], size: tuple, rng: np.random.Generator) -> None:
    grid = (size[0] // 8, size[1] // 8)
    prior = {f"{record.id}.png": encode_grey(_blobs(rng, size) / 255) for record in own}
    write_archive(data / f"saliency/{shard}.zip", prior)
    for name in names:
        maps, labels, saliency = {}, {}, {}
        for record in own:
            png = f"{record.id}.png"
            if name == "r0" and record.split == "val":
                continue
            cam = np.zeros((len(record.tags), *grid), np.float16)
            for layer in range(len(record.tags)):
                cam[layer] = _blobs(rng, grid).astype(np.float16) / np.float16(255)
            maps[f"{record.id}.cam"] = cam
            if name != "r0":
                maps[f"{record.id}.saliency"] = rng.random(grid).astype(np.float16)
                maps[f"{record.id}.prediction"] = _classes(rng, grid) % 255
                maps[f"{record.id}.confidence"] = rng.random(grid).astype(np.float16)
                maps[f"{record.id}.entropy"] = rng.random(grid).astype(np.float16)
            if record.split == "train":
                saliency[png] = prior[png] if name == "r0" else encode_grey(_blobs(rng, size) / 255)
                present = [CLASSES.index(name) for name in record.tags]
                grey = decode_grey(saliency[png])
                fused = fuse(upsample(cam, *size), present, grey, *RULE.thresholds)
                labels[png] = encode_label(fused)
        write_tensors(data / f"maps/{name}/{shard}.safetensors", maps)
        write_archive(data / f"labels/{name}/{shard}.zip", labels)
        write_archive(data / f"saliency_labels/{name}/{shard}.zip", saliency)


def _blobs(rng: np.random.Generator, size: tuple) -> np.ndarray:
    """Return a random smooth picture, uint8, with much black in it."""
    coarse = (rng.random((4, 5, *size[2:])) * 2 - 0.7).clip(0, 1).astype(np.float32)
    return np.rint(cv2.resize(coarse, size[1::-1], interpolation=cv2.INTER_CUBIC).clip(0, 1) * 255).astype(np.uint8)


def _classes(rng: np.random.Generator, size: tuple) -> np.ndarray:
    """Return a random label with background, two classes and 255."""
    values = np.array([0, 0, 0, 1, 2, 255], np.uint8)[rng.integers(0, 6, (3, 4))]
    return cv2.resize(values, size[::-1], interpolation=cv2.INTER_NEAREST)


def _write_summary(folder: Path, names: list[str]) -> None:
    kinds = [(name, "labels", "train") for name in names] + [(name, "model", "val") for name in names[1:]]
    rows = [
        {
            "round": name,
            "what": what,
            "set": split,
            "images": 5,
            "miou": 40.0 + index,
            "precision": 80.25,
            "recall": recall,
        }
        for index, (name, what, split) in enumerate(kinds)
        for recall in [None if index % 2 else 50.0 + index]
    ]
    per_class = [
        {"round": name, "what": what, "class": class_name, "iou": 12.34, "precision": 1.0, "recall": float("nan")}
        for name, what, _ in kinds
        for class_name in CLASSES.with_background
    ]
    write_rows(folder / "rounds.csv", rows, ["round", "what", "set", "images", "miou", "precision", "recall"])
    write_rows(folder / "classes.csv", per_class, ["round", "what", "class", "iou", "precision", "recall"])


def sources(work: Path) -> Sources:
    """Return the artifacts under `work` as the stage would."""
    dataset = Dataset(Store(work))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUXSEG_DATA", str(work / "raw"))
        return Sources(dataset, Masks.of(dataset), RULE)  # the data set keeps its root from here on
