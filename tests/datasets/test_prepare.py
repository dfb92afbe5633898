"""The stage's script on good data: every format, split and kind of labels."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from builders import lines, mask, photo
from PIL import Image

from auxseg.artifacts.atomic import sha256_file
from auxseg.artifacts.tables import read_csv
from auxseg.datasets.manifest import read_classes, read_manifest, read_mask_list
from auxseg.datasets.prepare import prepare
from auxseg.datasets.splits import in_val
from auxseg.errors import DataError, ParamsError
from auxseg.params.data import DataParams

CLASSES = {"cat": 8, "dog": 12}


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)


@pytest.fixture
def run(tmp_path, monkeypatch):
    def prepared(root: Path, **values):
        monkeypatch.setenv("AUXSEG_DATA", str(root))
        manifest, masks = tmp_path / "out/manifest", tmp_path / "out/masks"
        prepare(DataParams.parse(values), ["00", "01"], manifest, masks, tmp_path / "out/contradictions.json")
        return (
            read_manifest(manifest),
            read_classes(manifest / "classes.csv"),
            read_mask_list([masks / "00.csv", masks / "01.csv"]),
        )

    return prepared


def test_the_script_writes_the_same_bytes_with_any_number_of_workers(voc, project):
    scratch = project(voc)
    scratch.write({"format": "voc", "classes": CLASSES}, shards=["00", "01", "02"])
    contents = []
    for workers in (1, 2):
        done = scratch.prepare(workers)
        assert done.returncode == 0, done.stderr
        contents.append(scratch.outputs())
    assert contents[0] == contents[1]
    assert sorted(contents[0]) == [
        "data/contradictions.json",
        "data/manifest/classes.csv",
        "data/manifest/dataset.json",
        *(f"data/manifest/{split}/{shard}.csv" for split in ("train", "val") for shard in ("00", "01", "02")),
        "data/masks/00.csv",
        "data/masks/01.csv",
        "data/masks/02.csv",
        "data/masks/form.json",
    ]
    assert b"raw" not in b"".join(contents[0].values())  # no path of this machine
    assert b"SegmentationClass" not in b"".join(
        content for name, content in contents[0].items() if name.startswith("data/manifest")
    )
    assert json.loads(contents[0]["data/manifest/dataset.json"]) == {
        "format": "voc",
        "scenes": None,
        "unlisted": "error",
    }


def test_voc(voc, run):
    records, classes, masks = run(voc, format="voc", classes=CLASSES)
    assert [(record.id, record.split, record.tags) for record in records] == [
        ("a", "train", ("cat",)),
        ("b", "train", ("cat", "dog")),
        ("c", "val", ("dog",)),
    ]
    first = records[0]
    assert (first.path, first.width, first.height) == ("JPEGImages/a.jpg", 6, 4)
    assert first.sha256 == sha256_file(voc / first.path)
    assert (classes.names, classes.values) == (("cat", "dog"), (8, 12))
    assert masks == {name: f"SegmentationClass/{name}.png" for name in "abc"}


def test_voc_twenty_classes_by_default(voc, run):
    _, classes, _ = run(voc, format="voc")
    assert classes.values == tuple(range(1, 21))
    assert (classes.names[7], classes.names[19]) == ("cat", "tvmonitor")


def test_a_corrected_mask_changes_the_mask_list(voc, run, tmp_path):
    """Its SHA-256 is there for DVC: otherwise scores would stay as they were."""
    run(voc, format="voc", classes=CLASSES)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out/masks").iterdir()}
    mask(voc / "SegmentationClass/a.png", (12,))
    run(voc, format="voc", classes=CLASSES)
    after = {path.name: path.read_bytes() for path in (tmp_path / "out/masks").iterdir()}
    assert sum(before[name] != after[name] for name in before) == 1


def test_masks_are_optional_image_by_image(voc, run):
    (voc / "SegmentationClass/a.png").unlink()
    assert list(run(voc, format="voc", classes=CLASSES)[2]) == ["b", "c"]
    for left in "bc":
        (voc / f"SegmentationClass/{left}.png").unlink()
    assert run(voc, format="voc", classes=CLASSES)[2] == {}


def test_without_a_folder_of_masks_the_list_is_empty(voc, run):
    (voc / "SegmentationClass").rename(voc / "elsewhere")
    assert run(voc, format="voc", classes=CLASSES)[2] == {}


def test_other_lists_and_no_val(voc, run):
    lines(voc / "ImageSets/Segmentation/aug.txt", "/JPEGImages/b.jpg /SegmentationClassAug/b.png", "", "c.jpg")
    records, *_ = run(voc, format="voc", classes=CLASSES, train_split="aug", val_split=None)
    assert [(record.id, record.split) for record in records] == [("b", "train"), ("c", "train")]


def test_val_images_need_no_labels(voc, run):
    lines(voc / "image_labels.csv", "image_id,labels", "a,cat", "b,cat dog")
    record = run(voc, format="voc", classes=CLASSES)[0][2]
    assert record.tags == () and not record.is_tagged and not record.is_negative


def test_other_photo_formats_and_exif(voc, run):
    (voc / "JPEGImages/a.jpg").unlink()
    photo(voc / "JPEGImages/a.PNG")
    exif = Image.Exif()
    exif[274] = 8
    photo(voc / "JPEGImages/b.jpg", size=(4, 6), exif=exif)
    records, *_ = run(voc, format="voc", classes=CLASSES)
    assert records[0].path == "JPEGImages/a.PNG"
    assert (records[1].width, records[1].height) == (6, 4)  # upright


def test_a_subset_of_the_classes_leaves_images_without_them_out(voc, run, caplog):
    caplog.set_level("INFO")
    records, *_ = run(voc, format="voc", classes={"cat": 8}, unlisted="ignore")
    assert [(record.id, record.tags) for record in records] == [("a", ("cat",)), ("b", ("cat",))]
    assert "1 image of val shows none of data.classes and is left out" in caplog.text


def test_unlisted_background_keeps_images_of_other_classes_as_negatives(voc, run):
    """Left out of val, they would flatter the precision."""
    records, *_ = run(voc, format="voc", classes={"cat": 8}, unlisted="background")
    assert [(record.id, record.split, record.tags, record.is_negative) for record in records] == [
        ("a", "train", ("cat",), False),
        ("b", "train", ("cat",), False),
        ("c", "val", (), True),
    ]


def test_a_subset_without_any_image_is_rejected(voc, run):
    with pytest.raises(DataError, match=r"train split is empty .each image shows unlisted classes only"):
        run(voc, format="voc", classes={"sheep": 17}, unlisted="ignore")


def test_a_class_without_train_image_is_warned_of(voc, run, caplog):
    run(voc, format="voc", classes={**CLASSES, "cow": 10})
    assert "class 'cow' has no train image" in caplog.text


def test_a_class_in_every_train_image_is_warned_of(voc, run, caplog):
    run(voc, format="voc", classes=CLASSES)
    assert "class 'cat' is in every train image" in caplog.text
    assert "'dog'" not in caplog.text


def test_large_images_are_warned_of(voc, run, caplog):
    run(voc, format="voc", classes=CLASSES)
    assert "megapixels" not in caplog.text
    photo(voc / "JPEGImages/b.jpg", size=(2400, 2000))
    mask(voc / "SegmentationClass/b.png", (8,), size=(2400, 2000))
    run(voc, format="voc", classes=CLASSES)
    assert "JPEGImages/b.jpg has 5 megapixels" in caplog.text


def test_an_accent_packed_on_a_mac_is_the_same_id(folder, run):
    composed, decomposed = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))
    photo(folder / f"images/{decomposed}.jpg")
    lines(folder / "image_labels.csv", "image_id,labels,split", f"{composed},cat,train")
    (record,) = run(folder, format="folder")[0]
    assert (record.id, record.path) == (composed, f"images/{decomposed}.jpg")


def test_a_list_may_name_classes_that_are_not_voc_s(voc, run):
    lines(voc / "image_labels.csv", "image_id,labels", "a,tabby", "b,tabby poodle", "c,poodle")
    for name, values in {"a": (1,), "b": (1, 2), "c": (2,)}.items():
        mask(voc / f"SegmentationClass/{name}.png", values)
    assert run(voc, format="voc", classes=["tabby", "poodle"])[1].values == (1, 2)


@pytest.mark.parametrize("names", [["person", "dog"], ["tabby", "dog"], ["aeroplane", "cat"]])
def test_a_list_does_not_give_voc_s_classes_other_mask_values(voc, run, names):
    with pytest.raises(
        ParamsError, match=r"'data\.classes': a list gives .*; write names with the values .*(dog: 12|cat: 8)"
    ):
        run(voc, format="voc", classes=names, unlisted="background")


def test_a_list_that_begins_as_voc_s_is_voc_s(voc, run):
    names = ["aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat"]
    assert run(voc, format="voc", classes=names, unlisted="background")[1].values == tuple(range(1, 9))


def test_labels_from_xml(voc, run):
    for name, objects in {"a": [("cat", 0), ("dog", 1)], "b": [("dog", 0)]}.items():
        body = "".join(f"<object><name>{key}</name><difficult>{hard}</difficult></object>" for key, hard in objects)
        lines(voc / f"Annotations/{name}.xml", f"<annotation>{body}</annotation>")
    for name, shown in {"a": (8, 12), "b": (12,)}.items():
        mask(voc / f"SegmentationClass/{name}.png", shown)
    values = {"format": "voc", "classes": CLASSES, "labels": "xml"}
    assert [record.tags for record in run(voc, **values)[0]] == [("cat", "dog"), ("dog",), ()]
    assert run(voc, **values, difficult=False)[0][0].tags == ("cat",)


def test_labels_from_npy(voc, run):
    hot = np.eye(20, dtype=np.float32)
    np.save(voc / "cls_labels.npy", {"a": hot[7], "b": hot[7] + hot[11], "c": hot[11]})
    records, *_ = run(voc, format="voc", classes=CLASSES, labels="npy", labels_file="cls_labels.npy")
    assert [record.tags for record in records] == [("cat",), ("cat", "dog"), ("dog",)]


def negatives(records):
    return {record.id: record.is_negative for record in records}


def test_negatives_of_every_source_stay_in_train_and_val(voc, run, tmp_path):
    wanted = {"a": False, "b": True, "c": True}
    hot = np.eye(20, dtype=np.float32)
    np.save(voc / "cls_labels.npy", {"a": hot[7], "b": 0 * hot[0], "c": 0 * hot[0]})
    lines(voc / "image_labels.csv", "image_id,labels", "a,cat", "b,", 'c,"[]"')
    lines(voc / "Annotations/a.xml", "<annotation><object><name>cat</name></object></annotation>")
    for name in "bc":
        lines(voc / f"Annotations/{name}.xml", "<annotation/>")
    values = {"format": "voc", "classes": {"cat": 8}, "unlisted": "background"}
    assert negatives(run(voc, **values)[0]) == wanted
    cells = {
        row["id"]: row["labels"] for path in (tmp_path / "out/manifest").glob("*/0*.csv") for row in read_csv(path)
    }
    assert cells == {"a": "cat", "b": "background", "c": "background"}
    assert negatives(run(voc, **values, labels="npy", labels_file="cls_labels.npy")[0]) == wanted
    assert negatives(run(voc, **values, labels="xml")[0]) == wanted


def test_an_image_of_difficult_objects_only_is_not_a_negative(voc, run):
    for name, hard in (("a", 0), ("b", 1)):
        body = f"<object><name>cat</name><difficult>{hard}</difficult></object>"
        lines(voc / f"Annotations/{name}.xml", f"<annotation>{body}</annotation>")
    with pytest.raises(DataError, match=r"\(without difficult objects\) has no entry for it: train image 'b'"):
        run(voc, format="voc", classes=CLASSES, labels="xml", difficult=False)


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "plain"
    for name in ("one", "two", "three"):
        photo(root / "images" / f"{name}.jpg")
    photo(root / "images/unused.jpg")
    return root


def test_folder_with_split_and_names_with_spaces(folder, run):
    lines(
        folder / "image_labels.csv",
        "image_id,labels,split",
        "one.jpg,traffic light; car,train",
        "two,traffic light,train",
        "three,,val",
    )
    mask(folder / "truth/two.png", (2, 255))
    names = ["car", "traffic light"]
    records, classes, masks = run(folder, format="folder", classes=names, folder={"masks": "truth"})
    assert classes.names == ("car", "traffic light")
    assert classes.values == (1, 2)
    assert {record.id: (record.split, record.tags) for record in records} == {
        "one": ("train", ("car", "traffic light")),
        "two": ("train", ("traffic light",)),
        "three": ("val", ()),
    }
    assert masks == {"two": "truth/two.png"}


def test_folder_without_masks_takes_the_labels_names_as_classes(folder, run):
    lines(folder / "image_labels.csv", "image_id,labels", "one,traffic light;car", "two,traffic light")
    records, classes, _ = run(folder, format="folder")
    assert classes.names == ("car", "traffic light")
    assert {record.split for record in records} == {"train"}  # there is nothing to validate with


def test_folder_with_masks_keeps_a_fifth_for_val(folder, run):
    for number in range(40):
        photo(folder / f"images/{number}.jpg")
        mask(folder / f"truth/{number}.png", (1,))
    lines(folder / "image_labels.csv", "image_id,labels", *(f"{number},car" for number in range(40)))
    for share, expected in (({}, 0.2), ({"val_share": 0.0}, 0.0), ({"val_share": 0.5}, 0.5)):
        records, *_ = run(folder, format="folder", classes=["car"], folder={"masks": "truth", **share})
        drawn = {record.id for record in records if record.split == "val"}
        assert drawn == {str(number) for number in range(40) if in_val(str(number), expected)}


def test_folder_with_masks_needs_class_names(folder, run):
    """Another label in the CSV would change the alphabetical order, and so what the masks' values mean."""
    lines(folder / "image_labels.csv", "image_id,labels", "one,car")
    mask(folder / "truth/one.png", (1,))
    with pytest.raises(ParamsError, match=r"'data\.classes': null .* with data\.folder\.masks, list the classes"):
        run(folder, format="folder", folder={"masks": "truth"})


def test_folder_without_split_draws_by_id(folder, run):
    rows = [f"{name},car" for name in ("one", "two", "three")]
    lines(folder / "image_labels.csv", "image_id,labels", *rows)
    for share, expected in ((0.0, set()), (0.6, {"three"}), (0.65, {"two", "three"})):
        records, *_ = run(folder, format="folder", classes=["car"], folder={"val_share": share})
        assert {record.id for record in records if record.split == "val"} == expected


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["one,car,test"], r"line 2: split 'test' of 'one' is neither train nor val"),
        (
            ["four,car,train"],
            r"image_labels.csv: no row has an image in .*images: line 2 has 'four', a file is 'one.jpg'",
        ),
        (["dogs/one.jpg,car,train"], r"line 2: 'dogs/one' cannot be an id; .* without folder and extension, 'one'"),
        (["one,car,train,x"], r"line 2: more cells than the header"),
        (["one"], r"line 2: fewer cells than the header"),
        ([",car,train"], r"line 2: no image_id"),
        (["one,,train", "two,car,val"], r"no train image shows one of data.classes \(car\)"),
        (["one,car,val"], r"image_labels.csv: the train split is empty"),
        ([], r"image_labels.csv: no row has a label; write class names"),
    ],
)
def test_folder_rejections(folder, run, rows, message):
    lines(folder / "image_labels.csv", "image_id,labels,split", *rows)
    with pytest.raises(DataError, match=message):
        run(folder, format="folder")


@pytest.mark.parametrize("key", ["images", "masks"])
def test_folder_that_does_not_exist(folder, run, key):
    lines(folder / "image_labels.csv", "image_id,labels", "one,car")
    with pytest.raises(DataError, match=rf"nowhere: no such folder; set data\.folder\.{key}"):
        run(folder, format="folder", classes=["car"], folder={key: "nowhere"})
