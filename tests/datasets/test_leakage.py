"""Train and val must not share images: the same file, nearly the same picture, parts of one original."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from builders import lines, mask
from PIL import Image, ImageEnhance

from auxseg.datasets.collect import collect
from auxseg.datasets.leakage import NEAR, picture_hash
from auxseg.datasets.prepare import prepare
from auxseg.datasets.scenes import write_scenes
from auxseg.datasets.splits import in_val
from auxseg.errors import DataError
from auxseg.params.data import DataParams, ScenesParams


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> list[Path]:
    """Twelve images with structure, all different."""
    root = tmp_path_factory.mktemp("scenes")
    write_scenes(root, ScenesParams(train=12, val=0, side=96))
    return sorted((root / "JPEGImages").iterdir())


@pytest.fixture
def root(tmp_path, monkeypatch, scenes) -> Path:
    """t0 to t7 for train, v0 to v3 for val."""
    monkeypatch.setenv("AUXSEG_DATA", str(tmp_path / "data"))
    (tmp_path / "data/images").mkdir(parents=True)
    names = [*(f"t{number}" for number in range(8)), *(f"v{number}" for number in range(4))]
    for name, source in zip(names, scenes, strict=True):
        shutil.copy(source, tmp_path / f"data/images/{name}{source.suffix}")
    rows = (f"{name},cat,{'train' if name[0] == 't' else 'val'}" for name in names)
    lines(tmp_path / "data/image_labels.csv", "image_id,labels,split", *rows)
    return tmp_path / "data"


def image(root: Path, name: str) -> Path:
    return next((root / "images").glob(f"{name}.*"))


def run(root: Path, **values) -> None:
    out = root.parent / "out"
    prepare(
        DataParams.parse({"format": "folder", **values}),
        ["00"],
        out / "manifest",
        out / "masks",
        out / "contradictions.json",
    )


def test_the_same_file_in_both_splits_is_an_error(root, caplog):
    for train, val in (("t1", "v0"), ("t5", "v2")):
        image(root, val).write_bytes(image(root, train).read_bytes())
    with pytest.raises(DataError) as error:
        run(root)
    pairs = ", ".join(f"images/{a}.jpg = images/{b}.jpg" for a, b in (("t1", "v0"), ("t5", "v2")))
    assert str(error.value).startswith(f"2 pairs of train and val are the same file: {pairs}; remove one of each")
    assert not (root.parent / "out").exists() or not list((root.parent / "out").rglob("*.csv"))
    run(root, same_file="warning")
    assert f"2 pairs of train and val are the same file: {pairs}" in caplog.text
    assert "nearly the same" not in caplog.text


def test_the_same_file_twice_in_one_split_is_accepted(root, caplog):
    image(root, "t1").write_bytes(image(root, "t0").read_bytes())
    run(root)
    assert "same" not in caplog.text


def test_a_copy_that_was_saved_again_is_warned_of(root, caplog):
    run(root)
    assert "same" not in caplog.text
    with Image.open(image(root, "t3")) as original:
        smaller = ImageEnhance.Brightness(original.resize((70, 70))).enhance(1.1)
    smaller.save(image(root, "v1"), quality=70)
    run(root)
    assert "1 pair of train and val shows nearly the same: images/t3.jpg = images/v1.jpg; if they are" in caplog.text


def test_hashes_of_other_scenes_differ_more_than_those_of_copies(scenes):
    hashes = [picture_hash(np.asarray(Image.open(path))) for path in scenes]
    distances = [(one ^ other).bit_count() for i, one in enumerate(hashes) for other in hashes[:i]]
    assert min(distances) > 2 * NEAR
    assert picture_hash(np.full((40, 60, 3), 9, np.uint8)) is None  # all plain images would be the same


def grouped(root: Path, *rows: str, **values) -> dict[str, str]:
    lines(root / "image_labels.csv", *rows)
    return {item.id: item.split for item in collect(root, DataParams.parse({"format": "folder", **values})).images}


def test_a_group_stays_in_one_split(root):
    rows = [f"{kind}{number},cat,video {number % 3}" for kind in "tv" for number in range(8 if kind == "t" else 4)]
    found = grouped(root, "image_id,labels,group", *rows, folder={"val_share": 0.5})
    wanted = {f"video {number}": "val" if in_val(f"video {number}", 0.5) else "train" for number in range(3)}
    assert set(wanted.values()) == {"train", "val"}
    assert found == {row.split(",")[0]: wanted[row.split(",")[2]] for row in rows}


def test_a_group_goes_to_val_if_one_of_its_images_has_a_mask(root):
    group = next(name for name in map(str, range(100)) if in_val(name, 0.2))
    mask(root / "masks/t0.png", (1,), size=(96, 96))
    rows = ["image_id,labels,group", f"t0,cat,{group}", f"t1,cat,{group}", f"t2,cat,x{group}"]
    found = grouped(root, *rows, classes=["cat"], folder={"masks": "masks"})
    assert (found["t0"], found["t1"]) == ("val", "val") and found["t2"] == "train"


@pytest.mark.parametrize("count", [2, 3, 5])
def test_of_few_groups_one_is_val(root, count):
    """A hash of so few may choose none, and then nothing would be measured on images that were not trained on."""
    groups = [name for name in (f"video {number}" for number in range(100)) if not in_val(name, 0.2)][:count]
    rows = [f"t{number},cat,{groups[number % count]}" for number in range(8)]
    found = grouped(root, "image_id,labels,group", *rows, folder={"val_share": 0.2})
    val = {row.split(",")[2] for row in rows if found[row.split(",")[0]] == "val"}
    assert len(val) == 1
    assert set(grouped(root, "image_id,labels,group", *rows, folder={"val_share": 0.0}).values()) == {"train"}


def test_a_single_group_is_train(root):
    rows = [f"t{number},cat,one" for number in range(8)]
    group = grouped(root, "image_id,labels,group", *rows, folder={"val_share": 0.0001})
    assert set(group.values()) == {"train"}


def test_a_group_in_both_splits_is_rejected(root, voc):
    with pytest.raises(DataError, match=r"line 3: 't1' of group 'a' is in val, but 't0' .* in train \(.*line 2\)"):
        grouped(root, "image_id,labels,split,group", "t0,cat,train,a", "t1,cat,val,a", "t2,cat,train,b")
    lines(voc / "image_labels.csv", "image_id,labels,group", "a,cat,x", "b,cat dog,", "c,dog,x")
    with pytest.raises(DataError, match=r"line 4: 'c' of group 'x' is in val, but 'a' .* in train"):
        collect(voc, DataParams.parse({"format": "voc"}))
