"""The embedded scenes: same bytes, true masks, tags that match them."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from auxseg.datasets.scenes import SCENES_CLASSES, Scene, compose, knobs, write_scenes
from auxseg.datasets.scenes.compose import masks_of, settle
from auxseg.datasets.scenes.toys import Toy, build
from auxseg.images import read_rgb
from auxseg.params.data import ScenesParams
from auxseg.png_files import read_index_png

SIZE = 96
PARAMS = ScenesParams(train=8, val=5, side=SIZE, seed=3)


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes") / "set"
    write_scenes(folder, PARAMS)
    return folder


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [compose(0, "train", number, SIZE) for number in range(90)]


def tags(root: Path) -> dict[str, str]:
    with (root / "image_labels.csv").open(newline="") as stream:
        return {row["image_id"]: row["labels"] for row in csv.DictReader(stream)}


def square(index: int, side: int, top: int, left: int) -> Toy:
    """Return a square toy whose part is its upper left quarter."""
    cover, part = np.ones((side, side)), np.zeros((side, side))
    part[: side // 2, : side // 2] = 1
    return Toy(index, cover, part if index else part * 0, part, top, left)


def test_layout_and_split_lists(root: Path) -> None:
    lists = {split: (root / f"ImageSets/Segmentation/{split}.txt").read_text().split() for split in ("train", "val")}
    assert len(lists["train"]) == 8 and len(lists["val"]) == 5
    assert not set(lists["train"]) & set(lists["val"])
    ids = set(lists["train"]) | set(lists["val"])
    assert {path.stem for path in (root / "JPEGImages").glob("*.jpg")} == ids
    assert {path.stem for path in (root / "SegmentationClass").glob("*.png")} == ids
    assert set(tags(root)) == ids
    assert (root / "image_labels.csv").read_bytes().startswith(b"image_id,labels\n")
    assert all(read_rgb(path).shape == (SIZE, SIZE, 3) for path in (root / "JPEGImages").iterdir())


def test_two_writes_are_byte_identical(root: Path, tmp_path: Path) -> None:
    write_scenes(tmp_path / "again", PARAMS)
    assert contents(tmp_path / "again") == contents(root)


def test_an_image_does_not_depend_on_the_counts(root: Path, tmp_path: Path) -> None:
    write_scenes(tmp_path / "fewer", PARAMS.model_copy(update={"train": 3, "val": 2}))
    whole = contents(root)
    fewer = {name: data for name, data in contents(tmp_path / "fewer").items() if name.endswith(("jpg", "png"))}
    assert len(fewer) == 10
    assert all(whole[name] == data for name, data in fewer.items())


def test_seed_split_and_number_change_the_image() -> None:
    first = compose(0, "train", 0, SIZE).image
    assert np.array_equal(first, compose(0, "train", 0, SIZE).image)
    for other in (compose(1, "train", 0, SIZE), compose(0, "val", 0, SIZE), compose(0, "train", 1, SIZE)):
        assert not np.array_equal(first, other.image)


def test_files_are_those_of_the_layout(tmp_path: Path) -> None:
    write_scenes(tmp_path / "set", ScenesParams(train=1, val=0, side=64))
    assert sorted(contents(tmp_path / "set")) == [
        "ImageSets/Segmentation/train.txt",
        "ImageSets/Segmentation/val.txt",
        "JPEGImages/train00000.jpg",
        "SegmentationClass/train00000.png",
        "image_labels.csv",
    ]


def test_tags_are_the_classes_in_the_mask(root: Path) -> None:
    for image_id, names in tags(root).items():
        mask = read_index_png(root / "SegmentationClass" / f"{image_id}.png")
        present = [SCENES_CLASSES[index - 1] for index in np.unique(mask) if index]
        assert names.split() == present


def test_scene_arrays(scenes: list[Scene]) -> None:
    for scene in scenes:
        assert scene.image.dtype == scene.mask.dtype == scene.parts.dtype == np.uint8
        assert scene.image.shape == (SIZE, SIZE, 3)
        assert scene.mask.shape == scene.parts.shape == (SIZE, SIZE)
        assert scene.mask.max() <= len(SCENES_CLASSES)
        assert np.array_equal(scene.parts[scene.parts > 0], scene.mask[scene.parts > 0])
        assert 1 <= len(scene.toys) <= 3
        assert scene.tags == tuple(SCENES_CLASSES[index - 1] for index in np.unique(scene.mask) if index)
        assert set(np.unique(scene.parts)) == set(np.unique(scene.mask)), "a tag whose part cannot be seen"


def test_every_class_leads_once_in_six_images(scenes: list[Scene]) -> None:
    assert len(SCENES_CLASSES) == 6 and all(name.isalpha() for name in SCENES_CLASSES)
    for start in range(0, len(scenes), 6):
        assert {scene.toys[0].index for scene in scenes[start : start + 6]} == {1, 2, 3, 4, 5, 6}
    counts = [sum(len(scene.toys) == count for scene in scenes) for count in (1, 2, 3)]
    assert counts[0] > counts[2] > 0 and counts[1] > counts[2]


def test_part_is_a_small_share_of_the_toy() -> None:
    rng = np.random.default_rng(0)
    toys = [build(rng, index, 64) for index in range(1, 7) for _ in range(25)]
    shares = np.array([toy.part_mask.sum() / toy.mask.sum() for toy in toys])
    low, high = knobs.PART_SHARE
    assert shares.min() > 0.8 * low and shares.max() < 1.2 * high
    assert shares.mean() == pytest.approx((low + high) / 2, abs=0.015)


def test_toys_are_one_piece_and_of_the_size_asked_for() -> None:
    rng = np.random.default_rng(1)
    for index in (*range(1, 7), 0) * 6:
        toy = build(rng, index, 60)
        assert cv2.connectedComponents(toy.mask.astype(np.uint8))[0] == 2
        assert 40 <= max(toy.mask.shape) <= 90
        assert index or not toy.pattern.any(), "clutter carries a class's pattern"


def test_a_toy_hidden_by_another_is_neither_tagged_nor_in_the_mask() -> None:
    tiny, big = square(2, 6, 10, 10), square(1, 30, 0, 0)
    assert settle([big, tiny], SIZE) == [big]
    assert settle([tiny, big], SIZE) == [tiny, big]
    scene = Scene(np.zeros((SIZE, SIZE, 3), np.uint8), *masks_of([big], SIZE), (big,))
    assert scene.tags == (SCENES_CLASSES[0],)
    assert set(np.unique(scene.mask)) == {0, 1}


def test_a_toy_whose_part_is_hidden_is_left_out() -> None:
    toy, patch = square(4, 40, 20, 20), square(0, 18, 20, 20)
    assert settle([patch, toy], SIZE) == [patch]
    assert settle([patch.at(42, 42), toy], SIZE)[-1] is toy
    assert settle([toy.at(-15, 20)], SIZE) == []


def test_clutter_in_front_is_background_in_the_mask() -> None:
    mask, parts = masks_of([square(0, 10, 40, 40), square(5, 40, 20, 20)], SIZE)
    assert (mask == 5).sum() == 40 * 40 - 10 * 10
    assert (parts == 5).sum() == 20 * 20
    assert mask[45, 45] == 0
