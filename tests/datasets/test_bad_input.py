"""Every kind of bad input: one line that names file, row or key and the fix, exit code 2, nothing half-written."""

import numpy as np
import pytest
from builders import lines, mask, photo
from PIL import Image

from auxseg.datasets.prepare import prepare
from auxseg.datasets.problems import raise_first
from auxseg.errors import DataError, ParamsError
from auxseg.params.data import DataParams

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


@pytest.fixture
def rejected(voc, tmp_path, monkeypatch):
    """Return a function that prepares the data set and returns the message of the error, one line."""
    monkeypatch.setenv("AUXSEG_DATA", str(voc))
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)

    def prepared(data=None, kind=DataError) -> str:
        data = data or {"format": "voc", "classes": CLASSES}
        out = tmp_path / "data"
        with pytest.raises(kind) as error:
            prepare(DataParams.parse(data), ["00", "01"], out / "manifest", out / "masks", out / "contradictions.json")
        assert "\n" not in str(error.value)
        return str(error.value)

    return prepared


def written(tmp_path):
    return [path.relative_to(tmp_path).as_posix() for path in (tmp_path / "data").rglob("*") if path.is_file()]


@pytest.mark.parametrize("case", CASES)
def test_rejection_in_one_line_with_nothing_half_written(voc, tmp_path, rejected, case):
    spoil, expected = CASES[case]
    lines(tmp_path / "data/manifest/train/00.csv", "left by an earlier run")
    spoil(voc)
    message = rejected()
    for part in expected:
        assert part in message
    assert written(tmp_path) == ["data/manifest/train/00.csv"]


def test_the_stage_ends_with_that_line_and_code_2(voc, project):
    truncate(voc / "SegmentationClass/b.png")
    scratch = project(voc)
    scratch.write({"format": "voc", "classes": CLASSES})
    lines(scratch.root / "data/manifest/train/00.csv", "left by an earlier run")
    done = scratch.prepare()
    assert done.returncode == 2
    assert done.stderr.startswith("ERROR: ") and done.stderr.count("\n") == 1
    assert "SegmentationClass/b.png: truncated or damaged PNG" in done.stderr
    assert list(scratch.outputs()) == ["data/manifest/train/00.csv"]


def test_the_number_of_other_problems_is_told(voc, rejected):
    (voc / "JPEGImages/a.jpg").write_bytes(b"")
    (voc / "JPEGImages/b.jpg").write_bytes(b"")
    message = rejected()
    assert "a.jpg" in message
    assert message.endswith("(and 1 more: JPEGImages/b.jpg)")


def test_ten_other_problems_are_named():
    files = [f"{number}.jpg" for number in range(12)]
    for count, end in ((11, "9.jpg, 10.jpg)"), (12, "9.jpg, 10.jpg, …)")):
        with pytest.raises(DataError) as rejection:
            raise_first([f"{file}: damaged" for file in files[:count]], files[:count])
        assert str(rejection.value).startswith(f"0.jpg: damaged (and {count - 1} more: 1.jpg, 2.jpg, ")
        assert str(rejection.value).endswith(end)


def test_an_unreadable_image_and_wrong_masks_are_listed(voc, rejected):
    (voc / "JPEGImages/a.jpg").write_bytes(b"")
    truncate(voc / "SegmentationClass/b.png")
    mask(voc / "SegmentationClass/c.png", (12,), size=(6, 5))
    message = rejected()
    assert "JPEGImages/a.jpg: not a readable image" in message
    assert message.endswith("(and 2 more: SegmentationClass/b.png, SegmentationClass/c.png)")


def test_images_without_labels_are_listed(voc, rejected):
    tags(voc, "c,dog")
    assert rejected().endswith("or remove it from the list (and 1 more: b)")


@pytest.mark.parametrize(("cell", "fix"), [("cat/dog", "write 'cat|dog'"), ("cat and dog", "write 'cat|dog'")])
def test_several_known_classes_in_one_label(voc, rejected, cell, fix):
    tags(voc, "a,cat", f"b,{cell};cat", "c,dog")
    assert f"line 3: label '{cell}' of 'b' is not a known class; {fix} if it means several" in rejected()


@pytest.mark.parametrize(
    ("data", "kind", "expected"),
    [
        ({"format": "voc", "classes": {"cat": "8"}}, ParamsError, ["data.classes", "valid integer"]),
        ({"format": "vox"}, ParamsError, ["data.format", "'vox'"]),
        ({"format": "voc", "clases": {}}, ParamsError, ["unknown key 'data.clases'", "did you mean 'classes'?"]),
        ({"format": "voc", "classes": ["cat;dog"]}, DataError, ["data.classes: 'cat;dog' cannot be a class name"]),
        ({"format": "voc", "mask_folder": "../masks"}, ParamsError, ["data.mask_folder", "must be inside"]),
        ({"format": "folder", "folder": {"images": "/photos"}}, ParamsError, ["data.folder.images", "inside the data"]),
        ({"format": "folder", "labels": "npy"}, ParamsError, ["data.labels", "needs format voc"]),
    ],
)
def test_wrong_parameters(tmp_path, rejected, data, kind, expected):
    message = rejected(data, kind)
    assert all(part in message for part in expected), message
    assert written(tmp_path) == []


def test_missing_data_root(voc, project):
    scratch = project(voc / "nowhere")
    scratch.write({"format": "voc"})
    done = scratch.prepare()
    assert done.returncode == 2
    assert "AUXSEG_DATA" in done.stderr
    assert "is not a folder" in done.stderr


def test_colour_coded_mask_is_rejected(voc, rejected):
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(voc / "SegmentationClass/a.png")
    assert "a.png: a mask must be an 8-bit palette or grey PNG" in rejected()


def test_a_label_that_tables_use_is_named_by_its_row(voc, rejected):
    lines(voc / "image_labels.csv", "image_id,labels", "a,cat", "b,background;dog")
    message = rejected({"format": "folder", "folder": {"images": "JPEGImages"}})
    assert "image_labels.csv line 3: label 'background' is not an object class; remove it" in message
