"""Formats `voc` and `mmseg`, read with Pillow; and what is true of the export of any format."""

import json
import tracemalloc
from pathlib import Path

import example_masks
import numpy as np
import pytest
from example_masks import ALL, NAMES, VALUES, written
from PIL import Image

from auxseg.errors import DataError
from auxseg.formats.export import FORMATS, write_format
from auxseg.formats.writer import Item, Options


def test_voc(tmp_path):
    written(tmp_path / "out", "voc", ALL)
    for key, mask in ALL.items():
        image = Image.open(tmp_path / f"out/SegmentationClass/{key}.png")
        assert image.mode == "P" and image.getpalette()[3 * 8 : 3 * 9] == [64, 0, 0]
        np.testing.assert_array_equal(np.asarray(image), VALUES[mask])
        colours = {bytes(colour) for colour in np.asarray(image.convert("RGB")).reshape(-1, 3)}
        assert colours <= _colours(tmp_path / "out/labelmap.txt").keys()
    assert (tmp_path / "out/ImageSets/Segmentation/train.txt").read_text().split() == list(ALL)
    assert list(_colours(tmp_path / "out/labelmap.txt").values()) == [*NAMES, "ignore"]


def _colours(path):
    lines = [line.removesuffix("::").split(":") for line in path.read_text().splitlines()[1:]]
    return {bytes(map(int, colour.split(","))): name for name, colour in lines}


def test_mmseg(tmp_path):
    notes = written(tmp_path / "out", "mmseg", ALL, split="val")
    for key, mask in ALL.items():
        image = Image.open(tmp_path / f"out/ann_dir/val/{key}.png")
        assert image.mode == "L"
        np.testing.assert_array_equal(np.asarray(image), mask)
    arguments = json.loads((tmp_path / "out/dataset.json").read_text())
    assert arguments["metainfo"]["classes"] == list(NAMES) and len(arguments["metainfo"]["palette"]) == 3
    assert (arguments["img_suffix"], arguments["ignore_index"], arguments["reduce_zero_label"]) == (".jpg", 255, False)
    assert notes == []


def test_images_of_another_extension_are_counted(tmp_path):
    items = [
        Item(key, "train", f"images/{key}{suffix}", ALL["empty"])
        for key, suffix in zip("abc", [".jpg", ".jpg", ".png"], strict=True)
    ]
    notes = write_format("mmseg", tmp_path / "out", items, Options(NAMES, VALUES, "auxseg r1"))
    assert notes == ["1 image has another file extension than .jpg: mmsegmentation reads only one"]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("coco", "images/a/b.jpg"),
        ("cvat", "images/a/b.jpg"),
        ("labelme", "a/b.jpg"),
        ("label-studio", "images/a/b.jpg"),
        ("mmseg", "img_dir/train/a/b.jpg"),
        ("voc", "JPEGImages/a/b.jpg"),
    ],
)
def test_images_are_copied_where_the_tool_looks(name, place, tmp_path):
    image = tmp_path / "set/images/a/b.jpg"
    image.parent.mkdir(parents=True)
    image.write_bytes(b"pixels")
    written(tmp_path / "out", name, {"a/b": example_masks.nested()}, root=tmp_path / "set", with_images=True)
    assert (tmp_path / "out" / place).read_bytes() == b"pixels"


def failing():
    yield Item("a", "train", "a.jpg", example_masks.nested())
    raise DataError("b: damaged")


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_that_fails_leaves_nothing(name, tmp_path):
    with pytest.raises(DataError, match="b: damaged"):
        write_format(name, tmp_path / "out", failing(), Options(NAMES, VALUES, "auxseg r1", tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FORMATS)
def test_equal_masks_give_equal_bytes(name, tmp_path):
    contents = []
    for folder in ("one", "two"):
        written(tmp_path / folder, name, {"a": example_masks.nested()}, root=tmp_path)
        files = sorted(path for path in (tmp_path / folder).rglob("*") if path.is_file())
        contents.append([(path.relative_to(tmp_path / folder), path.read_bytes()) for path in files])
    assert contents[0] == contents[1] and contents[0]


def test_a_folder_with_files_is_refused(tmp_path):
    (tmp_path / "own.txt").write_text("mine")
    with pytest.raises(DataError, match="is not empty; name a new folder"):
        written(tmp_path, "voc", {"a": example_masks.nested()})
    assert [path.name for path in tmp_path.iterdir()] == ["own.txt"]


def megabyte() -> np.ndarray:
    return example_masks.nested().repeat(25, axis=0).repeat(16, axis=1)


@pytest.mark.parametrize("name", FORMATS)
def test_memory_does_not_grow_with_the_number_of_masks(name, tmp_path):
    """Masks of 1 MB each would need 6 MB more if they were kept."""
    peaks = []
    for count in (1, 7):
        masks = (Item(f"{key}", "train", "a.jpg", megabyte()) for key in range(count))
        tracemalloc.start()
        write_format(name, tmp_path / f"{count}", masks, Options(NAMES, VALUES, "auxseg r1", tmp_path))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 3_000_000


def test_memory_test_measures_masks():
    """Against a memory test that could not fail: kept masks are seen."""
    tracemalloc.start()
    kept = [megabyte() for _ in range(10)]
    assert tracemalloc.get_traced_memory()[0] > 8_000_000 and len(kept) == 10
    tracemalloc.stop()


def test_paths_are_relative_to_nothing_else(tmp_path):
    """A zip that is opened by CVAT, and a folder that is moved, must not know this machine."""
    written(tmp_path / "out", "coco", {"a": example_masks.nested()})
    written(tmp_path / "zip", "cvat", {"a": example_masks.nested()})
    for path in [*Path(tmp_path / "out").rglob("*"), *Path(tmp_path / "zip").rglob("*")]:
        assert not path.is_file() or str(tmp_path).encode() not in path.read_bytes()
