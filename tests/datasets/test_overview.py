"""What a data set holds, as `prepare` logs it and `auxseg scan` prints it."""

from builders import lines, photo

from auxseg.datasets.collect import collect
from auxseg.datasets.overview import Overview, overview
from auxseg.params.data import DataParams


def test_counts_of_a_collected_folder(tmp_path):
    for name in ("a", "b", "c", "d", "spare"):
        photo(tmp_path / f"images/{name}.jpg")
    rows = ("a,cat;dog,train", "b,cat;,train", "c,dog;,val", "d,Cat;,train", "gone,owl;,train")
    lines(tmp_path / "image_labels.csv", "image_id,labels,split", *rows)
    view = overview(collect(tmp_path, DataParams.parse({"format": "folder"})))
    assert view == Overview(
        train=3,
        val=1,
        masks=0,
        classes={"cat": 3, "dog": 1},
        is_derived=True,
        without_image=("gone",),
        without_row=("spare",),
        notes=("labels: 'Cat' (1 image) is read as 'cat' (2 images)",),
    )
    assert view.lines() == [
        "3 train and 1 val images, 2 classes, 0 masks",
        "classes (from the labels): cat 3, dog 1",
    ]


def test_negatives_are_counted_and_named(tmp_path):
    for name in "abcd":
        photo(tmp_path / f"images/{name}.jpg")
    lines(tmp_path / "image_labels.csv", "image_id,labels,split", "a,road,train", "b,,train", "c,,val", "d,,train")
    view = overview(collect(tmp_path, DataParams.parse({"format": "folder"})))
    assert view.negatives == {"train": ["b", "d"], "val": ["c"]}
    assert view.lines() == [
        "3 train and 1 val images, 1 class, 0 masks",
        "classes (from the labels): road 1",
        "without any object: 2 train and 1 val",
    ]
    assert (
        "3 images have no label and are taken as background everywhere: b, d, c; write the classes, or remove the "
        "rows, of those that show an object"
    ) in view.warnings()


def test_the_table_of_many_classes_ends_early():
    view = Overview(9, 0, 0, {f"class {number}": 5 for number in range(21)})
    assert view.lines()[1].startswith("classes: class 0 5, ") and view.lines()[1].endswith(", class 19 5, …")


def test_warnings_count_and_name_the_first_five():
    ids = [f"img{number}" for number in range(14)]
    classes = {"none": 0, "all": 60, "ten": 10, **{f"c{number}": number for number in range(1, 8)}}
    view = Overview(60, 0, 0, classes, without_image=ids, without_row=ids[:2], hint="'img0' is 'IMG0' in the folder")
    assert list(view.warnings()) == [
        "14 rows have no image in the folder and are left out: img0, img1, img2, img3, img4, …; "
        "'img0' is 'IMG0' in the folder",
        "2 images have no row in the CSV and are left out: img0, img1; add rows, or segment them with `auxseg predict` "
        "once there is a model",
        "class 'none' has no train image, so it cannot be learned; add images with it, or remove it from data.classes",
        "class 'all' is in every train image: the classifier cannot learn what distinguishes it, and its CAM means "
        "little; add images without it (an empty cell of labels means: no object)",
        "7 classes have fewer than 10 train images: c1 1, c2 2, c3 3, c4 4, c5 5, …; more images of them help most",
        "60 train images are few: expect usable labels for them, but a model that is 10 to 20 mIoU worse on other "
        "images (docs/own-data.md); more images help it most",
    ]
    assert list(Overview(100, 0, 0, {"cat": 10, "dog": 30}).warnings()) == []


def test_val_images_without_any_mask_are_noted():
    classes = {"cat": 10, "dog": 30}
    assert list(Overview(100, 12, 0, classes).warnings()) == [
        "12 val images have no mask: they are predicted, but not trained on, and nothing is measured; add masks "
        "to measure, or put them into train"
    ]
    assert list(Overview(100, 12, 3, classes).warnings()) == []


def test_a_rare_class_that_is_spelt_almost_like_another_is_named():
    view = Overview(120, 0, 0, {"cat": 60, "catt": 1, "cow": 59, "dog": 9})
    assert "class 'catt' (1) is spelt almost like 'cat' (60); if that is a slip, correct the table" in view.warnings()
    assert not [line for line in Overview(120, 0, 0, {"cat": 9, "cats": 9}).warnings() if "spelt" in line]


def test_several_classes_of_one_fault_are_one_line():
    view = Overview(3, 1, 1, {"cat": 3, "dog": 3, **dict.fromkeys("abcdefg", 0)})
    assert view.lines()[0] == "3 train and 1 val images, 9 classes, 1 mask"
    warnings = list(view.warnings())
    assert (
        "7 classes ('a', 'b', 'c', 'd', 'e', …) have no train image, so they cannot be learned; add images "
        "with them, or remove them from data.classes"
    ) in warnings
    (everywhere,) = [line for line in warnings if "every train image" in line]
    assert everywhere.startswith("2 classes ('cat', 'dog') are in every train image: the classifier cannot learn what")


def test_one_image_is_told_in_the_singular():
    warnings = " ".join(Overview(1, 1, 0, {"cat": 1}).warnings())
    assert "1 val image has no mask: it is predicted" in warnings
    assert "1 train image is few: expect usable labels for it" in warnings
