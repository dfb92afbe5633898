"""One folder per class, with and without folders of splits."""

import numpy as np
import pytest
from builders import mask
from exports import SIZE, write_photo

from auxseg.datasets.annotations.recognise import recognise
from auxseg.datasets.overview import overview
from auxseg.errors import DataError, ParamsError
from auxseg.params.data import DataParams

FOLDER = DataParams.parse({"format": "folder"})


def test_ids_have_the_folder_and_tags_are_its_name(tmp_path, opened):
    for name in ("cat/001.jpg", "traffic light/001.png", "cat/wild/7.JPG"):
        write_photo(tmp_path / name)
    data = opened(format="class-folders")
    data.check()
    assert data.tags == {
        "cat/001": ("cat",),
        "cat/wild/7": ("cat",),
        "traffic light/001": ("traffic light",),
    }
    assert set(data.splits.values()) == {"train"}  # without masks there is nothing to validate with
    assert recognise(tmp_path, FOLDER) == ("class-folders", "folders of images")


def test_an_id_with_an_outer_space_is_rejected(tmp_path, opened):
    """Tables of verdicts and corrections are read without outer spaces, so none would apply to it."""
    for name in ("cat/001.jpg", "cat/002 .jpg"):
        write_photo(tmp_path / name)
    with pytest.raises(DataError, match=r"'cat/002 ' begins or ends with a space; rename the file$"):
        opened(format="class-folders")


def test_folders_of_splits(tmp_path, opened):
    for name in ("train/cat/a.jpg", "train/dog/b.jpg", "valid/dog/a.jpg"):
        write_photo(tmp_path / "images" / name)
    data = opened(format="class-folders")
    assert data.names == ("cat", "dog")
    assert data.splits == {"train/cat/a": "train", "train/dog/b": "train", "valid/dog/a": "val"}


def test_masks_have_the_same_folders(tmp_path, opened):
    for name in ("cat/a", "dog/b"):
        write_photo(tmp_path / f"{name}.jpg")
    mask(tmp_path / "masks/dog/b.png", (9, 255), SIZE[::-1])
    data = opened(format="class-folders", classes={"cat": 3, "dog": 9}, folder={"masks": "masks", "val_share": 0.0})
    assert data.tags == {"cat/a": ("cat",), "dog/b": ("dog",)}
    assert np.unique(data.mask("dog/b")).tolist() == [0, 2, 255]


def test_images_without_a_class_folder_are_not_taken_for_one(tmp_path, opened):
    write_photo(tmp_path / "images/a.jpg")
    assert recognise(tmp_path, FOLDER) is None
    with pytest.raises(DataError, match=r"images: no folder with images; make one for each class, as in .*cat/001"):
        opened(format="class-folders")


@pytest.mark.parametrize(
    "names",
    [
        ("photos/a.jpg", "photos2/a.jpg"),
        ("JPEGImages/a.jpg", "SegmentationClass/a.png"),
        ("pictures/a.jpg", "Masks/a.png"),
        ("train/a.jpg", "val/b.jpg"),
        ("train/cat/a.jpg", "val/cat/b.jpg"),
    ],
)
def test_ordinary_folders_are_not_taken_for_classes(tmp_path, names):
    for name in names:
        write_photo(tmp_path / name)
    assert recognise(tmp_path, FOLDER) is None


def test_classes_below_splits_are_recognised_unless_there_is_a_table(tmp_path):
    for name in ("train/cat/a.jpg", "train/dog/b.jpg", "valid/dog/a.jpg"):
        write_photo(tmp_path / name)
    assert recognise(tmp_path, FOLDER) == ("class-folders", "folders of images")
    (tmp_path / "tags.csv").write_text("image_id,labels\n")
    assert recognise(tmp_path, FOLDER) is None


def test_masks_need_their_folder_and_a_class_table(tmp_path, opened):
    for name in ("cat/a", "dog/b"):
        write_photo(tmp_path / f"{name}.jpg")
    with pytest.raises(DataError, match=r"msks: no such folder; set data\.folder\.masks"):
        opened(format="class-folders", classes=["cat", "dog"], folder={"masks": "msks"})
    with pytest.raises(ParamsError, match=r"'data\.classes': null .* with data\.folder\.masks, list the classes"):
        opened(format="class-folders", folder={"masks": "masks"})


@pytest.mark.parametrize("stray", ["train/new1.jpg", "test/u1.jpg", "extra/cat/1.jpg"])
def test_a_stray_image_beside_folders_of_splits_is_an_error(tmp_path, opened, stray):
    """Otherwise `train` and `val` would be the classes, and val would be trained on."""
    for name in ("train/cat/a.jpg", "train/dog/b.jpg", "val/cat/c.jpg", "val/dog/d.jpg", stray):
        write_photo(tmp_path / name)
    with pytest.raises(DataError, match=rf"{stray}: not in a folder of a split and a class, as train/cat/a"):
        opened(format="class-folders")


def test_many_images_beside_folders_of_splits_do_not_outvote_them(tmp_path, opened):
    for name in ("train/cat/a.jpg", "train/dog/b.jpg", "test/1.jpg", "test/2.jpg", "test/3.jpg"):
        write_photo(tmp_path / name)
    with pytest.raises(DataError, match=r"test/1.jpg: not in a folder of a split and a class, as train/cat/a"):
        opened(format="class-folders")


def test_a_class_may_have_the_name_of_a_split(tmp_path, opened):
    for name in ("train/old/1.jpg", "bus/2.jpg", "car/3.jpg"):
        write_photo(tmp_path / name)
    assert opened(format="class-folders").names == ("bus", "car", "train")


def test_folders_of_background_and_of_what_is_left_out(tmp_path, opened):
    for name in ("road/1.jpg", "background/2.jpg", "ignore/3.jpg", "4.jpg"):
        write_photo(tmp_path / "images" / name)
    (tmp_path / "images/road/5.gif").write_bytes(b"GIF89a")
    data = opened(format="class-folders")
    assert (data.names, data.tags) == (("road",), {"road/1": ("road",), "background/2": ()})
    found = list(overview(data.found).warnings())
    assert any("2 images have no folder of a class and are left out: 4, ignore/3; move them" in line for line in found)
    assert any(": 1 file is not read as an image, the first is 'images/road/5.gif'" in line for line in found)


def test_a_folder_none_is_no_class_in_silence(tmp_path, opened):
    for name in ("road/1.jpg", "none/2.jpg"):
        write_photo(tmp_path / name)
    with pytest.raises(DataError, match=r"have 'none'; if it means that .* \(a folder of such images"):
        opened(format="class-folders")
    assert opened(format="class-folders", classes=["none", "road"]).names == ("none", "road")


def test_thumbnails_of_a_nas_are_no_images(tmp_path, opened):
    for name in ("road/1.jpg", "road/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg", "@eaDir/2.jpg"):
        write_photo(tmp_path / name)
    assert list(opened(format="class-folders").tags) == ["road/1"]
