"""The columns that the gallery ranks by, each recomputed from the artifacts by the meaning that the page gives it."""

import numpy as np
import pytest
from report_data import CLASSES, SHARDS, UNLABELLED_ID
from report_reader import read_script
from scipy import ndimage

from auxseg.artifacts.archive import Archive
from auxseg.artifacts.tensors import TensorFile
from auxseg.datasets.manifest import read_manifest, read_mask_list, shard_of
from auxseg.datasets.masks import read_mask
from auxseg.encoded import decode_grey, decode_indices
from auxseg.maps import upsample


def label_of(work, round_name, split, record):
    shard = shard_of(record.id, SHARDS)
    archive = f"labels/{round_name}/{shard}" if split == "train" else f"predictions/{round_name}"
    return decode_indices(Archive(work / f"data/{archive}.zip")[f"{record.id}.png"]).astype(int)


def mean_iou(label, mask):
    counted, shares = mask != 255, []
    for index in range(len(CLASSES) + 1):
        ours, theirs = (label == index) & counted, (mask == index) & counted
        if (ours | theirs).any():
            shares.append((ours & theirs).sum() / (ours | theirs).sum())
    return np.mean(shares)


def expected_iou(label, cam, saliency, tags, prediction=None, confidence=None):
    """By loops over the pixels: docs/audit.md."""
    height, width = label.shape
    inside, outside = dict.fromkeys([0, *tags], 0.0), dict.fromkeys([0, *tags], 0.0)
    if prediction is not None and tags:
        opinion = np.array([np.where(prediction == c, confidence, (1 - confidence) / len(tags)) for c in [0, *tags]])
        opinion = upsample((opinion / opinion.sum(axis=0)).astype(np.float32), height, width)
    for y, x in np.ndindex(height, width):
        shares = cam[:, y, x] / cam[:, y, x].sum() if cam[:, y, x].any() else np.full(len(tags), 1 / max(len(tags), 1))
        strongest = min(cam[:, y, x].max(initial=0), 1)
        drawn = [[1 - s, *(s * shares)] for s in (strongest, *(one[y, x] for one in saliency))]
        if prediction is not None and tags:
            drawn[0] = opinion[:, y, x]
        for index, probability in zip([0, *tags], np.mean(drawn, axis=0) if tags else [1.0], strict=True):
            inside[index] += probability * (label[y, x] == index)
            outside[index] += label[y, x] == index or probability
    return np.mean([inside[index] / outside[index] for index in inside if outside[index]])


def expected(work, round_name, split, record):
    """Return the figures of one image by their definitions."""
    shard, label = shard_of(record.id, SHARDS), label_of(work, round_name, split, record)
    maps = TensorFile(work / f"data/maps/{round_name}/{shard}.safetensors")
    cam = upsample(maps[f"{record.id}.cam"], *label.shape)
    if split == "train":
        saliency = decode_grey(Archive(work / f"data/saliency_labels/{round_name}/{shard}.zip")[f"{record.id}.png"])
    else:
        saliency = upsample(maps[f"{record.id}.saliency"][None], *label.shape)[0]
    prior = decode_grey(Archive(work / f"data/saliency/{shard}.zip")[f"{record.id}.png"])
    strongest, objects = cam.max(axis=0, initial=0), (label > 0) & (label < 255)
    second = np.sort(cam, axis=0)[-2] if len(cam) > 1 else np.zeros_like(strongest)
    present, tags = set(label[objects].tolist()), {CLASSES.index(name) for name in record.tags}
    seen = {index for index in present if (label == index).mean() >= 0.01}
    found = {
        "disagreement": 1 - np.minimum(strongest, saliency).sum() / np.maximum(strongest, saliency).sum()
        if record.tags
        else None,
        "ignored": (label == 255).mean(),
        "object": objects.mean(),
        "margin": (strongest - second)[objects].mean() if objects.any() and record.tags else None,
        "missing": len(tags - present),
        "components": sum(ndimage.label(label == index, np.ones((3, 3)))[1] for index in present),
    }
    if round_name != "r0":
        prediction = maps[f"{record.id}.prediction"]
        shares = {index: (prediction == index).mean() for index in np.unique(prediction).tolist()}
        seen |= {index for index, share in shares.items() if index and share >= 0.01}
        found["entropy"] = maps[f"{record.id}.entropy"].astype(float).mean()
        found["confidence"] = maps[f"{record.id}.confidence"].astype(float).mean()
    found["expected_iou"] = None
    if split == "train":
        network = (maps[f"{record.id}.{name}"] for name in ("prediction", "confidence") if round_name != "r0")
        found["expected_iou"] = expected_iou(label, cam, (prior, saliency), sorted(tags), *network)
    found["untagged"] = len(seen - tags)
    if record.id == UNLABELLED_ID:
        found["missing"] = found["untagged"] = None
    masks = read_mask_list(work / f"data/masks/{name}.csv" for name in SHARDS)
    if record.id in masks:
        found["iou"] = mean_iou(label, read_mask(work / "raw" / masks[record.id], CLASSES, "error"))
    return found, label


@pytest.mark.parametrize(("split", "round_name"), [("train", "r0"), ("train", "r2"), ("val", "r2")])
def test_every_column_is_what_it_says(work, split, round_name):
    base = read_script(work / "audit/index/base.js")
    columns = read_script(work / f"audit/index/{round_name}-{split}.js")["figures"]
    records = {record.id: record for record in read_manifest(work / "data/manifest", split)}
    for position, image_id in enumerate(base["records"][split]["id"]):
        found, label = expected(work, round_name, split, records[image_id])
        if round_name == "r2":
            found["change"] = (label != label_of(work, "r1", split, records[image_id])).mean()
        for name, value in found.items():
            assert columns[name][position] == (value if value is None else pytest.approx(value, abs=1e-4)), name
    varied = [name for name, values in columns.items() if len(set(values)) > 1]
    wanted = {"disagreement", "ignored", "object", "margin", "iou"} | ({"expected_iou"} if split == "train" else set())
    assert wanted <= set(varied)  # no column is right by being constant
