"""The manifest: what is written is read, and an image's shard depends on its id alone."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auxseg.artifacts.store import Store
from auxseg.datasets.dataset import Dataset
from auxseg.datasets.manifest import (
    ClassTable,
    ImageRecord,
    manifest_shards,
    read_classes,
    read_manifest,
    read_mask_hashes,
    read_mask_list,
    read_shard,
    shard_files,
    shard_of,
    write_manifest,
    write_mask_list,
)
from auxseg.errors import DataError
from auxseg.params.dag import shard_names

IDS = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="/\\"), min_size=1, max_size=12)
CLASSES = ClassTable(("cat", "traffic light"), (8, 3))


def record(image_id: str, split: str = "train", tags: tuple[str, ...] = ("cat",)) -> ImageRecord:
    return ImageRecord(image_id, f"JPEGImages/{image_id}.jpg", 6, 4, split, tags, "0" * 64)


def test_shards_of_known_ids():
    """Literals: another hash would move every image of every user."""
    ids = ("2007_000032", "train00000", "Käfer")
    assert [shard_of(image_id, ["00", "01", "02", "03"]) for image_id in ids] == ["02", "02", "00"]


@settings(max_examples=30, deadline=None)
@given(st.lists(IDS, unique=True, min_size=2, max_size=12), st.integers(1, 9), st.sampled_from(["train", "val"]))
def test_a_new_photo_leaves_the_other_split_and_shards_byte_for_byte(tmp_path_factory, ids, count, split):
    folder, shards = tmp_path_factory.mktemp("m"), shard_names(count)
    others = [record(image_id, ("train", "val")[place % 2]) for place, image_id in enumerate(ids[1:])]
    write_manifest(folder / "before", others, CLASSES, shards)
    write_manifest(folder / "after", [record(ids[0], split), *others], CLASSES, shards)
    changed = {
        name
        for name in ["classes", *(f"{split}/{shard}" for split in ("train", "val") for shard in shards)]
        if (folder / f"before/{name}.csv").read_bytes() != (folder / f"after/{name}.csv").read_bytes()
    }
    assert changed == {f"{split}/{shard_of(ids[0], shards)}"}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(IDS, st.sampled_from(["train", "val"])), unique_by=lambda row: row[0], max_size=12))
def test_round_trip_in_any_order(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("m")
    records = [record(image_id, split, CLASSES.names[: len(image_id) % 3]) for image_id, split in rows]
    write_manifest(folder, records, CLASSES, ["00", "01", "02"])
    assert read_manifest(folder) == sorted(records, key=lambda row: row.id)
    assert [row.id for row in read_manifest(folder, "val")] == sorted(name for name, split in rows if split == "val")
    assert read_classes(folder / "classes.csv") == CLASSES
    assert manifest_shards(folder / "train") == manifest_shards(folder / "val") == ["00", "01", "02"]


def test_shards_are_about_even():
    counts = [0] * 4
    for number in range(2000):
        counts[int(shard_of(f"2007_{number:06d}", shard_names(4)))] += 1
    assert max(counts) - min(counts) < 100


def test_mask_list(tmp_path):
    write_mask_list(tmp_path, {"a": ("M/a.png", "11"), "b": ("M/b.png", "22")}, ["00", "01"])
    assert read_mask_list([tmp_path / "00.csv", tmp_path / "01.csv"]) == {"a": "M/a.png", "b": "M/b.png"}

    assert read_mask_hashes([tmp_path / "00.csv", tmp_path / "01.csv"]) == {"a": "11", "b": "22"}


def test_mask_list_by_hand(tmp_path):
    write_mask_list(tmp_path, {"b": ("M/b.png", "22"), "a": ("M/a.png", "11")}, ["00"])
    assert (tmp_path / "00.csv").read_text() == "id,path,sha256\na,M/a.png,11\nb,M/b.png,22\n"


KINDS = [
    ImageRecord("a", "a.jpg", 1, 4, "train", (), "aa"),
    ImageRecord("b", "b.jpg", 6, 1, "val", (), "bb", is_tagged=False),
    ImageRecord("c", "c.jpg", 6, 4, "train", ("cat", "traffic light"), "cc"),
]
DEEP = [
    ImageRecord("a", "a.tif", 6, 4, "train", ("cat",), "aa", bits=12),
    ImageRecord("b", "b.tif", 6, 4, "train", ("cat",), "bb", bands=(4, 1, 2)),
]


@pytest.mark.parametrize(
    ("records", "header", "train", "val"),
    [
        (
            KINDS,
            "id,path,width,height,split,labels,sha256\n",
            "a,a.jpg,1,4,train,background,aa\nc,c.jpg,6,4,train,cat;traffic light,cc\n",
            "b,b.jpg,6,1,val,,bb\n",
        ),
        (
            DEEP,
            "id,path,width,height,split,labels,sha256,bits,bands\n",
            "a,a.tif,6,4,train,cat,aa,12,\nb,b.tif,6,4,train,cat,bb,,4 1 2\n",
            "",
        ),
        (
            DEEP[:1],
            "id,path,width,height,split,labels,sha256,bits,bands\n",
            "a,a.tif,6,4,train,cat,aa,12,\n",
            "",
        ),
    ],
    ids=["negative, unknown, tagged", "bits and bands", "bits alone"],
)
def test_the_files_by_hand(tmp_path, records, header, train, val):
    write_manifest(tmp_path, records, CLASSES, ["00"])
    assert (tmp_path / "train/00.csv").read_text() == header + train
    assert (tmp_path / "val/00.csv").read_text() == header + val
    assert read_manifest(tmp_path) == records
    assert read_shard(tmp_path / "train/00.csv") == [one for one in records if one.split == "train"]
    assert (
        tmp_path / "classes.csv"
    ).read_text() == "index,name,mask_value\n0,background,0\n1,cat,8\n2,traffic light,3\n"


def test_an_image_without_tags_is_a_negative_if_they_are_known():
    assert [one.is_negative for one in KINDS] == [True, False, False]


ROW = "a,a.jpg,6,4,train,cat,aa\n"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROW.replace("train", "test"), "'a' has split 'test', 6x4 pixels"),
        (ROW.replace("6", "0"), "'a' has split 'train', 0x4 pixels"),
        (ROW.replace("4", "0"), "'a' has split 'train', 6x0 pixels"),
        (ROW.replace("6", "wide"), "invalid literal"),
        (ROW + ROW, "id 'a' appears twice"),
    ],
)
def test_a_damaged_shard_is_one_line(tmp_path, rows, message):
    (tmp_path / "00.csv").write_text("id,path,width,height,split,labels,sha256\n" + rows)
    with pytest.raises(DataError, match=rf"00\.csv: damaged: .*{message}"):
        read_shard(tmp_path / "00.csv")


def test_an_image_in_the_folder_of_the_other_split_is_damage(tmp_path):
    write_manifest(tmp_path, KINDS, CLASSES, ["00"])
    shutil.copy(tmp_path / "val/00.csv", tmp_path / "train/00.csv")
    with pytest.raises(DataError, match=r"train/00\.csv: damaged: 'b' has split 'val'"):
        read_manifest(tmp_path)


def test_a_manifest_without_shards_is_no_empty_data_set(tmp_path):
    (tmp_path / "data/manifest").mkdir(parents=True)
    (tmp_path / "data/manifest/00.csv").touch()  # before there was a folder for each split
    with pytest.raises(DataError, match=r"manifest/train: has no shard; run `auxseg run`"):
        Dataset(Store(tmp_path)).records()


def class_file(folder: Path, *rows: str) -> Path:
    (folder / "classes.csv").write_text("index,name,mask_value\n0,background,0\n" + "".join(f"{row}\n" for row in rows))
    return folder / "classes.csv"


def test_mask_values_from_0_to_254(tmp_path):
    assert read_classes(class_file(tmp_path, "1,cat,0", "2,dog,254")) == ClassTable(("cat", "dog"), (0, 254))


@pytest.mark.parametrize("rows", [(), ("1,cat,1", "2,cat,2"), ("1,cat,255",), ("1,cat,1", "2,dog,-1")])
def test_a_damaged_class_table_is_one_line(tmp_path, rows):
    with pytest.raises(DataError, match=r"classes\.csv: damaged: it names no class, a class twice, or a mask value"):
        read_classes(class_file(tmp_path, *rows))


def test_class_table():
    assert len(CLASSES) == 2
    assert CLASSES.with_background == ("background", "cat", "traffic light")
    assert CLASSES.index("traffic light") == 2
    assert CLASSES.multi_hot(["traffic light"]).tolist() == [0, 1]
    table = CLASSES.indices_from_values(unlisted=7)
    assert table[[0, 8, 3, 255, 4]].tolist() == [0, 1, 2, 255, 7]
    assert (table.shape, table.dtype, (table == 7).sum()) == ((256,), np.uint8, 252)
    assert CLASSES.multi_hot([]).dtype == np.float32
    with pytest.raises(DataError, match="class 'cow': not in the class table of the manifest"):
        CLASSES.index("cow")


@pytest.mark.parametrize(("there", "message"), [(["00"], "01.zip: missing"), (["00", "01", "02"], "02.zip: left over")])
def test_shard_files_reject_missing_and_left_over_ones(tmp_path, there, message):
    for name in there:
        (tmp_path / f"{name}.zip").touch()
    with pytest.raises(DataError, match=message):
        shard_files(tmp_path, ["00", "01"], ".zip")


def test_what_a_killed_stage_left_half_written_is_not_seen(tmp_path):
    for name in ("00", "01", ".tmp-1-00", ".tmp-1-02"):
        (tmp_path / f"{name}.csv").touch()
    assert manifest_shards(tmp_path) == ["00", "01"]
    assert list(shard_files(tmp_path, ["00", "01"], ".csv")) == ["00", "01"]
