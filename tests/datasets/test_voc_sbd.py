"""train_aug from a devkit and an SBD folder in their own layouts, but small; and the published lists."""

import tarfile

import numpy as np
import pytest
from builders import lines, mask, photo
from PIL import Image
from scipy.io import savemat

from auxseg.cli.main import main
from auxseg.datasets import voc_sbd
from auxseg.datasets.id_lists import COCO_LISTS, VOC_LISTS, IdList, check_list, list_sha256
from auxseg.datasets.prepare import prepare
from auxseg.datasets.voc_sbd import assemble, read_sbd_mask
from auxseg.errors import DataError
from auxseg.params.data import VOC_CLASSES, DataParams

AUG = ["2007_1", "2008_3", "2008_4", "2009_5"]
PUBLISHED = {
    name: IdList(len(ids), list_sha256(ids))
    for name, ids in {"train": ["2007_1"], "val": ["2007_2"], "train_aug": AUG}.items()
}


def sbd_mat(path, values):
    """Write a mask with the nesting of SBD's files: a struct GTcls of Boundaries, Segmentation, CategoriesPresent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"Boundaries": np.zeros((20, 1), object), "Segmentation": values, "CategoriesPresent": np.unique(values)}
    savemat(path, {"GTcls": content}, do_compression=True)


@pytest.fixture
def folder(tmp_path):
    """VOC train 2007_1, val 2007_2; SBD has both of these too, and three of its own."""
    voc, sbd = tmp_path / "VOCdevkit/VOC2012", tmp_path / "sbd"
    lines(voc / "ImageSets/Segmentation/train.txt", "2007_1")
    lines(voc / "ImageSets/Segmentation/val.txt", "2007_2")
    lines(sbd / "train.txt", "2008_3", "2007_2", "2008_4")
    lines(sbd / "val.txt", "2009_5", "2007_1")
    for index, key in enumerate(["2007_1", "2007_2", "2008_3", "2008_4", "2009_5"], 1):
        photo(voc / f"JPEGImages/{key}.jpg")
        sbd_mat(sbd / f"cls/{key}.mat", np.full((4, 6), index, np.uint8))
        name = {1: "cat", 2: "dog"}.get(index, VOC_CLASSES[index - 1])  # as in the masks
        objects = f"<object><name>{name}</name><difficult>0</difficult></object>"
        lines(voc / f"Annotations/{key}.xml", f"<annotation>{objects}</annotation>")
    mask(voc / "SegmentationClass/2007_1.png", (8, 255))
    mask(voc / "SegmentationClass/2007_2.png", (12,))
    return tmp_path


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)


def test_lists_and_masks(folder):
    lines(folder / "sbd/train.txt", "\ufeff2008_3", "2007_2", "2008_4")  # saved by an editor on Windows
    assert assemble(folder, PUBLISHED) == {"train": 1, "val": 1, "train_aug": 4}
    voc = folder / "VOCdevkit/VOC2012"
    assert (voc / "ImageSets/Segmentation/train_aug.txt").read_text().split() == AUG
    masks = {path.stem: np.asarray(Image.open(path)) for path in (voc / "SegmentationClassAug").iterdir()}
    assert sorted(masks) == sorted([*AUG, "2007_2"])
    for key in ("2007_1", "2007_2"):  # VOC's own, with its ignored borders, not SBD's
        assert masks[key].tolist() == np.asarray(Image.open(voc / f"SegmentationClass/{key}.png")).tolist()
    assert (masks["2008_4"] == 4).all() and masks["2008_4"].shape == (4, 6)
    assert Image.open(voc / "SegmentationClassAug/2008_4.png").mode == "P"


def test_the_command_and_the_pipelines_first_stage(folder, monkeypatch, capsys, tmp_path):
    """As `make voc` does it, where nothing is left to fetch; masks outside the scored list are not listed."""
    monkeypatch.setattr(voc_sbd, "VOC_LISTS", PUBLISHED)
    monkeypatch.setattr(voc_sbd.assemble, "__defaults__", (PUBLISHED,))
    assert main(["download", "voc", "--to", str(folder)]) == 0
    out = capsys.readouterr().out
    root = folder / "VOCdevkit/VOC2012"
    assert "train_aug       4 ids, as published" in out
    assert f"next: auxseg use voc-auxsegnet --data {root}" in out
    monkeypatch.setenv("AUXSEG_DATA", str(root))
    for score_split, mask_folder, expected in (
        ("train", "SegmentationClass", ["2007_1", "2007_2"]),
        (None, "SegmentationClass", ["2007_1", "2007_2"]),
        ("train", "SegmentationClassAug", ["2007_1", "2007_2"]),
        (None, "SegmentationClassAug", sorted([*AUG, "2007_2"])),
    ):
        values = {"format": "voc", "labels": "xml", "train_split": "train_aug"}
        params = DataParams.parse(values | {"score_split": score_split, "mask_folder": mask_folder})
        prepare(params, ["00"], tmp_path / "manifest", tmp_path / "masks", tmp_path / "wrong.json")
        listed = [row.split(",")[0] for row in (tmp_path / "masks/00.csv").read_text().splitlines()[1:]]
        assert listed == expected
        assert (tmp_path / "manifest/train/00.csv").read_text().count(",train,") == 4


@pytest.mark.parametrize(
    ("name", "ids", "message"),
    [
        ("a", ["2008_3"], r"a\.txt line 1: '2008_3' is to be scored but SegmentationClass has no mask of it"),
        ("b", ["2007_1", "2007_2"], r"b\.txt line 2: '2007_2' is to be scored but is not in train_aug\.txt"),
        ("c", ["x", "y"], r"'x' is to be scored .* \(and 1 more\)"),
    ],
)
def test_a_list_to_score_is_scored_whole(folder, monkeypatch, tmp_path, name, ids, message):
    assemble(folder, PUBLISHED)
    root = folder / "VOCdevkit/VOC2012"
    lines(root / f"ImageSets/Segmentation/{name}.txt", *ids)
    monkeypatch.setenv("AUXSEG_DATA", str(root))
    params = DataParams.parse(
        {"format": "voc", "labels": "xml", "train_split": "train_aug", "score_split": name, "val_split": None}
    )
    with pytest.raises(DataError, match=message):
        prepare(params, ["00"], tmp_path / "manifest", tmp_path / "masks", tmp_path / "wrong.json")


def test_lists_that_are_not_the_published_ones(folder):
    with pytest.raises(DataError, match=r"train\.txt: 1 id, but the published train has 1464"):
        assemble(folder)
    lines(folder / "sbd/val.txt", "2009_6", "2007_1")
    with pytest.raises(DataError, match=r"sbd with .*: 4 ids, but not those of the published train_aug"):
        assemble(folder, PUBLISHED)
    assert not (folder / "VOCdevkit/VOC2012/ImageSets/Segmentation/train_aug.txt").exists()


def test_damaged_masks(folder):
    path = folder / "sbd/cls/2008_3.mat"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataError, match=r"2008_3\.mat: not a mask of SBD"):
        assemble(folder, PUBLISHED)
    sbd_mat(path, np.full((4, 6), 21, np.uint8))
    with pytest.raises(DataError, match=r"expected uint8 of 0\.\.20"):
        read_sbd_mask(path)
    path.unlink()
    with pytest.raises(DataError, match=r"2008_3\.mat: no such file"):
        assemble(folder, PUBLISHED)


def test_a_failed_download_is_one_line(tmp_path, monkeypatch, capsys):
    def fail(*_, **__):
        raise OSError("no\nanswer")

    monkeypatch.setattr("requests.get", fail)
    assert main(["download", "voc", "--to", str(tmp_path)]) == 2
    message = (
        f"error: {voc_sbd.VOC_ARCHIVE[0]}: download failed (no answer); run the same command again, it continues\n"
    )
    assert capsys.readouterr().err == message


def test_what_is_fetched_lies_where_assemble_looks(tmp_path, monkeypatch):
    """Archives in the form of the published ones."""
    made = {"VOC": "VOCdevkit/VOC2012/JPEGImages/a.jpg", "sem": "benchmark_RELEASE/dataset/cls/a.mat"}

    def archive(url, sha256, target):
        inner = made["VOC" if "VOC" in url else "sem"]
        (tmp_path / "in" / inner).parent.mkdir(parents=True)
        (tmp_path / "in" / inner).write_text("x")
        with tarfile.open(target, "w") as tar:
            tar.add(tmp_path / "in" / inner, inner)
        return target

    monkeypatch.setattr(voc_sbd, "download", archive)
    (tmp_path / "to").mkdir()
    voc_sbd.fetch(tmp_path / "to")
    assert (tmp_path / "to/VOCdevkit/VOC2012/JPEGImages/a.jpg").is_file()
    assert (tmp_path / "to/sbd/cls/a.mat").is_file()
    monkeypatch.setattr(voc_sbd, "download", None)
    voc_sbd.fetch(tmp_path / "to")  # nothing is left to fetch


def test_published_counts():
    assert {name: entry.count for name, entry in VOC_LISTS.items()} == {
        "train": 1464,
        "val": 1449,
        "train_aug": 10582,
        "test": 1456,
    }
    assert {name: entry.count for name, entry in COCO_LISTS.items()} == {"train": 82783 - 702, "val": 40504}
    hashes = [entry.sha256 for entry in (*VOC_LISTS.values(), *COCO_LISTS.values())]
    assert len(set(hashes)) == 6 and all(len(value) == 64 for value in hashes)


def test_a_list_counts_by_its_ids_alone():
    published = {"x": IdList(2, list_sha256(["b", "a"]))}
    check_list("here", "x", ["b", "a"], published)
    with pytest.raises(DataError, match="here: 2 ids, but not those"):
        check_list("here", "x", ["b", "c"], published)
