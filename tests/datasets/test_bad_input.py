"""Every kind of bad input: one line that names file, row or key and the fix, exit code 2, nothing half-written."""

import numpy as np
import pytest
from builders import lines, mask, photo
from PIL import Image

from auxseg.datasets.class_table import RESERVED
from auxseg.datasets.problems import raise_first
from auxseg.errors import DataError

CLASSES = {"cat": 8, "dog": 12}


def truncate(path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:-500])


def tags(root, *rows):
    lines(root / "image_labels.csv", "image_id,labels", *rows)


def train(root, *rows):
    lines(root / "ImageSets/Segmentation/train.txt", *rows)


def turned(root):
    exif = Image.Exif()
    exif[274] = 6
    photo(root / "JPEGImages/b.jpg", exif=exif)


CASES = {
    "truncated image": (
        lambda root: truncate(root / "JPEGImages/b.jpg"),
        ["JPEGImages/b.jpg", "truncated or damaged", "replace the file"],
    ),
    "unreadable image": (
        lambda root: (root / "JPEGImages/b.jpg").write_text("<html>404</html>"),
        ["JPEGImages/b.jpg", "not a readable image", "replace the file"],
    ),
    "label naming no known class": (
        lambda root: tags(root, "a,cat", "b,cat dgo", "c,dog"),
        ["image_labels.csv line 3", "label 'dgo' of 'b'", "did you mean 'dog'?", "data.unlisted"],
    ),
    "only negatives in train": (
        lambda root: tags(root, "a,", "b,", "c,dog"),
        ["image_labels.csv: no train image shows one of data.classes (cat, dog)", "label the images that do"],
    ),
    "train image without a row": (
        lambda root: tags(root, "a,cat", "c,dog"),
        ["train.txt line 2", "image_labels.csv has no entry", "'b' has no labels", "none if it shows no object"],
    ),
    "id twice in the list": (
        lambda root: train(root, "a", "b", "a"),
        ["train.txt line 3", "id 'a' is listed twice", "train.txt line 1", "remove one"],
    ),
    "id twice in the CSV": (
        lambda root: tags(root, "a,cat", "b,cat", "c,dog", "a,dog"),
        ["image_labels.csv line 5", "id 'a' is listed twice", "line 2", "remove one"],
    ),
    "id in both splits": (
        lambda root: lines(root / "ImageSets/Segmentation/val.txt", "c", "a"),
        ["val.txt line 2", "id 'a' is in both train and val", "train.txt line 1"],
    ),
    "one photo by two spellings of its id": (
        lambda root: (
            photo(root / "JPEGImages/\u00e9.jpg"),
            lines(root / "ImageSets/Segmentation/train.txt", "a", "\u00e9"),
            lines(root / "ImageSets/Segmentation/val.txt", "e\u0301"),
            lines(root / "image_labels.csv", "image_id,labels", "a,cat", "\u00e9,cat", "e\u0301,cat"),
        ),
        ["val.txt line 1", "is in both train and val", "train.txt line 2"],
    ),
    "listed image missing": (
        lambda root: (root / "JPEGImages/b.jpg").unlink(),
        ["train.txt line 2", "'b' is listed", "JPEGImages", "add the file or remove the row"],
    ),
    "mask with a value outside the table": (
        lambda root: mask(root / "SegmentationClass/b.png", (8, 15)),
        ["SegmentationClass/b.png", "mask value 15", "8 cat, 12 dog", "data.unlisted"],
    ),
    "masks of 0 and 255 alone": (
        lambda root: [mask(root / f"SegmentationClass/{name}.png", (255, 255)) for name in "abc"],
        ["SegmentationClass: none of 3 masks shows a class", "255 is always ignored", "8 is cat", "data.classes"],
    ),
    "mask of another size": (
        lambda root: mask(root / "SegmentationClass/b.png", (8,), size=(6, 5)),
        ["SegmentationClass/b.png", "6 x 5", "6 x 4", "at the size of the image"],
    ),
    "mask not turned with its photo": (turned, ["SegmentationClass/b.png", "6 x 4", "4 x 6 (upright, by its EXIF"]),
    "truncated mask": (
        lambda root: truncate(root / "SegmentationClass/b.png"),
        ["SegmentationClass/b.png", "truncated or damaged PNG", "replace"],
    ),
    "empty train split": (lambda root: train(root), ["train.txt", "train split is empty", "list at least one"]),
    "missing list": (
        lambda root: (root / "ImageSets/Segmentation/train.txt").unlink(),
        ["train.txt", "no such list", "data.train_split", "(val)"],
    ),
    "not the data root": (
        lambda root: (root / "JPEGImages").rename(root / "images"),
        ["JPEGImages: no such folder", "set the data root"],
    ),
    "labels missing": (lambda root: (root / "image_labels.csv").unlink(), ["image_labels.csv", "data.labels_file"]),
    "id that leaves the folder": (lambda root: train(root, "a", "..\\b"), ["train.txt line 2", "cannot be an id"]),
    "two photos of one id": (
        lambda root: photo(root / "JPEGImages/b.png"),
        ["JPEGImages: 'b' is b.jpg and b.png", "keep one"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_rejection_in_one_line_with_nothing_half_written(voc, project, case):
    spoil, expected = CASES[case]
    scratch = project(voc)
    scratch.write({"format": "voc", "classes": CLASSES})
    old = scratch.root / "data/manifest/00.csv"
    lines(old, "left by an earlier run")
    spoil(voc)
    done = scratch.prepare()
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("ERROR: ")
    for part in expected:
        assert part in done.stderr
    assert list(scratch.outputs()) == ["data/manifest/00.csv"]


def test_the_number_of_other_problems_is_told(voc, project):
    (voc / "JPEGImages/a.jpg").write_bytes(b"")
    (voc / "JPEGImages/b.jpg").write_bytes(b"")
    scratch = project(voc)
    scratch.write({"format": "voc", "classes": CLASSES})
    done = scratch.prepare()
    assert "a.jpg" in done.stderr
    assert done.stderr.endswith("(and 1 more: JPEGImages/b.jpg)\n")


def test_ten_other_problems_are_named():
    files = [f"{number}.jpg" for number in range(12)]
    for count, end in ((11, "9.jpg, 10.jpg)"), (12, "9.jpg, 10.jpg, …)")):
        with pytest.raises(DataError) as rejection:
            raise_first([f"{file}: damaged" for file in files[:count]], files[:count])
        assert str(rejection.value).startswith(f"0.jpg: damaged (and {count - 1} more: 1.jpg, 2.jpg, ")
        assert str(rejection.value).endswith(end)


def test_an_unreadable_image_and_wrong_masks_are_listed(voc, project):
    (voc / "JPEGImages/a.jpg").write_bytes(b"")
    truncate(voc / "SegmentationClass/b.png")
    mask(voc / "SegmentationClass/c.png", (12,), size=(6, 5))
    scratch = project(voc)
    scratch.write({"format": "voc", "classes": CLASSES})
    done = scratch.prepare()
    assert "JPEGImages/a.jpg: not a readable image" in done.stderr and done.stderr.count("\n") == 1
    assert done.stderr.endswith("(and 2 more: SegmentationClass/b.png, SegmentationClass/c.png)\n")


def test_images_without_labels_are_listed(voc, project):
    tags(voc, "c,dog")
    scratch = project(voc)
    scratch.write({"format": "voc", "classes": CLASSES})
    assert scratch.prepare().stderr.endswith("or remove it from the list (and 1 more: b)\n")


@pytest.mark.parametrize(("cell", "fix"), [("cat/dog", "write 'cat|dog'"), ("cat and dog", "write 'cat|dog'")])
def test_several_known_classes_in_one_label(voc, project, cell, fix):
    tags(voc, "a,cat", f"b,{cell};cat", "c,dog")
    scratch = project(voc)
    scratch.write({"format": "voc", "classes": CLASSES})
    error = scratch.prepare().stderr
    assert f"line 3: label '{cell}' of 'b' is not a known class; {fix} if it means several" in error


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"format": "voc", "classes": {"cat": "8"}}, ["data.classes", "valid integer"]),
        ({"format": "vox"}, ["data.format", "'vox'"]),
        ({"format": "voc", "clases": {}}, ["unknown key 'data.clases'", "did you mean 'classes'?"]),
        ({"format": "voc", "classes": ["cat;dog"]}, ["data.classes: 'cat;dog' cannot be a class name"]),
        *(({"format": "voc", "classes": [name]}, [f"'{name}' cannot be a class name"]) for name in RESERVED),
        ({"format": "voc", "mask_folder": "../masks"}, ["data.mask_folder", "must be inside the data root"]),
        ({"format": "folder", "folder": {"images": "/photos"}}, ["data.folder.images", "inside the data root"]),
        ({"format": "folder", "labels": "npy"}, ["data.labels", "needs format voc"]),
    ],
)
def test_wrong_parameters(voc, project, data, expected):
    scratch = project(voc)
    scratch.write(data)
    done = scratch.prepare()
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert all(part in done.stderr for part in expected), done.stderr
    assert scratch.outputs() == {}


def test_missing_data_root(voc, project):
    scratch = project(voc / "nowhere")
    scratch.write({"format": "voc"})
    done = scratch.prepare()
    assert done.returncode == 2
    assert "AUXSEG_DATA" in done.stderr
    assert "is not a folder" in done.stderr


def test_colour_coded_mask_is_rejected(voc, project):
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(voc / "SegmentationClass/a.png")
    scratch = project(voc)
    scratch.write({"format": "voc", "classes": CLASSES})
    assert "a.png: a mask must be an 8-bit palette or grey PNG" in scratch.prepare().stderr


def test_a_label_that_tables_use_is_named_by_its_row(voc, project):
    lines(voc / "image_labels.csv", "image_id,labels", "a,cat", "b,background;dog")
    scratch = project(voc)
    scratch.write({"format": "folder", "folder": {"images": "JPEGImages"}})
    done = scratch.prepare()
    assert done.returncode == 2
    assert "image_labels.csv line 3: label 'background' is not an object class; remove it" in done.stderr
