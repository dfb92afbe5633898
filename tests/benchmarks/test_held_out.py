"""The selection split: which masks can be reached, and the labels of images that nothing was trained on."""

import held_out
import numpy as np
import pytest
import yaml
from PIL import Image

from auxseg.artifacts.archive import write_archive
from auxseg.artifacts.tensors import write_tensors
from auxseg.datasets.collect import collect
from auxseg.datasets.prepare import prepare
from auxseg.encoded import encode_grey
from auxseg.errors import ParamsError
from auxseg.params.data import DataParams

PARAMS = DataParams(format="voc", classes={"cat": 1, "dog": 2})
SIDE = 8


@pytest.fixture
def source(tmp_path):
    """Ten training and two validation images: a cat on the left half; a mask each."""
    root = tmp_path / "voc"
    ids = {"train": [f"t{number}" for number in range(10)], "val": ["v0", "v1"]}
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[:, : SIDE // 2] = 1
    for split, names in ids.items():
        (root / f"ImageSets/Segmentation/{split}.txt").write_text("".join(f"{name}\n" for name in names))
        for name in names:
            colour = (90, 10 * int(name[1:]), 200 if split == "val" else 0)  # train and val must not share a file
            Image.new("RGB", (SIDE, SIDE), colour).save(root / f"JPEGImages/{name}.png")
            Image.fromarray(mask).save(root / f"SegmentationClass/{name}.png")
    tags = "".join(f"{name},cat\n" for names in ids.values() for name in names)
    (root / "image_labels.csv").write_text("image_id,labels\n" + tags)
    return root


def splits(root):
    return {
        split: {item.id for item in collect(root, PARAMS).images if item.split == split} for split in ("train", "val")
    }


def test_only_the_masks_of_the_images_set_aside_can_be_reached(source, tmp_path):
    target = tmp_path / "aside"
    held_out.make_root(source, target, PARAMS, 4)
    first = splits(target)
    assert (len(first["train"]), len(first["val"])) == (6, 4)
    assert first["train"] | first["val"] == splits(source)["train"]
    assert {path.stem for path in (target / "SegmentationClass").iterdir()} == first["val"]
    assert {item.id for item in collect(target, PARAMS).images if item.mask} == first["val"]
    held_out.make_root(source, target, PARAMS, 4)  # over an older one
    assert splits(target) == first
    held_out.make_root(source, target, PARAMS, 6)
    assert splits(target)["val"] > first["val"]


def test_too_many_are_rejected(source, tmp_path):
    with pytest.raises(ParamsError, match="10 ids are too few to set 10 aside"):
        held_out.make_root(source, tmp_path / "aside", PARAMS, 10)


def test_labels_of_images_set_aside(source, tmp_path, monkeypatch):
    """CAM and saliency cover the cat but for one of its four columns, which is neither: background."""
    root, project = tmp_path / "aside", tmp_path / "project"
    held_out.make_root(source, root, PARAMS, 4)
    monkeypatch.setenv("AUXSEG_DATA", str(root))
    monkeypatch.chdir(tmp_path)
    (project / "data").mkdir(parents=True)
    prepare(PARAMS, ["00", "01"], *(project / f"data/{name}" for name in ("manifest", "masks", "contradictions.json")))
    still = {
        "iterations": 0,
        "gaussian_sxy": 3.0,
        "gaussian_compat": 3.0,
        "bilateral_sxy": 60.0,
        "bilateral_srgb": 5.0,
        "bilateral_compat": 5.0,
    }
    params = {"rounds": {"r1": "r0"}, "labels": {"saliency_crf": still}}
    (project / "params.yaml").write_text(yaml.safe_dump(params))
    seen = np.zeros((SIDE, SIDE), np.float32)
    seen[:, 1 : SIDE // 2] = 1
    ids = splits(root)["val"]
    for shard in ("00", "01"):
        maps = {f"{name}.{kind}": value for name in ids for kind, value in (("cam", seen[None]), ("saliency", seen))}
        write_tensors(project / f"data/maps/r1/{shard}.safetensors", {k: v.astype(np.float16) for k, v in maps.items()})
        write_archive(project / f"data/saliency/{shard}.zip", {f"{name}.png": encode_grey(seen) for name in ids})
    (row,) = held_out.score(project)
    cat, background = 3 / 4, 4 / 5  # the missing column counts as background's false positive
    assert (row["round"], row["what"], row["set"]) == ("r1", "labels", "selection")
    assert row["miou"] == pytest.approx(100 * (cat + background) / 2)
    assert row["precision"] == pytest.approx(100 * (1 + 4 / 5) / 2)
    assert row["recall"] == pytest.approx(100 * (3 / 4 + 1) / 2)
