"""Rows without an image, and images without a row."""

import hashlib
import re

import pytest
from builders import lines, photo

from auxseg.datasets.collect import collect
from auxseg.datasets.folder import list_folder
from auxseg.datasets.listing import Folders
from auxseg.datasets.splits import in_val
from auxseg.datasets.tags import Tags
from auxseg.errors import DataError
from auxseg.params.data import DataParams


def listing(root, *ids):
    tags = {key: Tags(("cat",), f"tags.csv line {line}") for line, key in enumerate(ids, 2)}
    params = DataParams(format="folder")
    return list_folder(root, params.folder, tags, root / "tags.csv", Folders.of(root, params))


@pytest.fixture
def root(tmp_path):
    for name in ("a", "b", "c", "d"):
        photo(tmp_path / f"images/{name}.jpg")
    return tmp_path


def test_a_minority_of_rows_without_an_image_is_left_out(root):
    found = listing(root, "a", "x", "b", "y")
    assert [item.id for item in found.images] == ["a", "b"]
    assert (found.without_image, found.without_row, found.hint) == (("x", "y"), ("c", "d"), "")
    assert listing(root, "a", "b", "c", "d").without_row == ()


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (("a", "x", "y"), r"tags.csv: only 1 of 3 rows has an image in .*images: line 3 has 'x', a file is 'b.jpg'"),
        (("x",), r"tags.csv: no row has an image in .*images: line 2 has 'x', a file is 'a.jpg'; write the file names"),
    ],
)
def test_a_majority_of_rows_without_an_image_is_rejected_with_an_example(root, ids, message):
    with pytest.raises(DataError, match=message) as rejection:
        listing(root, *ids)
    assert "\n" not in str(rejection.value)


def test_an_empty_folder_is_said_to_be_empty(root):
    for path in (root / "images").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"no row has an image in .*images, which contains no image \(.jpg, .*put them"):
        listing(root, "a")


@pytest.mark.parametrize(
    ("path", "missing", "hint"),
    [
        ("images/IMG.JPG", "img", "'img' is 'IMG' in the folder: write it in the same case"),
        ("images/a cat.jpg", "a%20cat", "'a%20cat' is 'a cat' in the folder: write it without percent signs"),
        ("images/z.jpg", "\u200bz", r"'\u200bz' is 'z' in the folder: remove the quotes or invisible characters"),
        ("images/z.jpg", "\u201cz\u201d", "is 'z' in the folder: remove the quotes or invisible characters"),
        ("images/007.jpg", "7", "'7' is '007' in the folder: a spreadsheet has changed the numbers; format the column"),
        ("images/7.jpg", "7.0", "'7.0' is '7' in the folder: a spreadsheet has changed the numbers; format the column"),
        ("images/cats/e.jpg", "e", "'e' is in a sub-folder, cats/e.jpg: put the images into the folder itself"),
        ("images/e.avif", "e", "'e' is there as e.avif, which cannot be read: save it as .jpg"),
    ],
)
def test_near_misses_are_told(root, path, missing, hint):
    photo(root / "new.jpg")
    (root / path).parent.mkdir(exist_ok=True)
    (root / "new.jpg").rename(root / path)
    assert hint in listing(root, "a", missing).hint
    with pytest.raises(DataError, match=re.escape(hint)):
        listing(root, missing)


def test_an_id_with_a_folder_is_rejected_with_the_name_to_write(root):
    with pytest.raises(DataError, match=r"line 3: 'images/b' cannot be an id; .* without folder and extension, 'b'"):
        listing(root, "a", "images/b")


def test_rows_without_an_image_name_no_class(root):
    lines(root / "image_labels.csv", "image_id,labels", "a,cat;", "b,dog;", "x,owl;background")
    assert collect(root, DataParams.parse({"format": "folder"})).classes.names == ("cat", "dog")


def test_sub_folder_rows_without_an_image_are_left_out(root):
    for name in ("cats/1", "cats/2", "dogs/1"):
        photo(root / f"images/{name}.jpg")
    found = listing(root, "a", "b", "cats/1", "cats/9", "birds/1")
    assert [item.id for item in found.images] == ["a", "b", "cats/1"]
    assert found.without_image == ("cats/9", "birds/1")
    assert found.without_row == ("c", "d", "cats/2", "dogs/1")


def test_a_majority_of_sub_folder_rows_is_rejected_with_an_example(root):
    for name in ("a", "b", "c", "d"):
        (root / f"images/{name}.jpg").unlink()
    photo(root / "images/cats/1.jpg")
    with pytest.raises(DataError, match=r"only 1 of 3 rows has .*: line 3 has 'cats/8', a file is 'cats/1\.jpg'"):
        listing(root, "cats/1", "cats/8", "cats/9")


def test_most_entries_of_a_json_without_an_image(root):
    (root / "tags.json").write_text('{"a.jpg": "cat", "x.jpg": "dog", "y.jpg": "dog"}')
    with pytest.raises(DataError, match=r"only 1 of 3 rows has an image in .*images: entry 'x' has 'x', a file is 'b"):
        collect(root, DataParams.parse({"format": "folder", "labels_file": "tags.json"}))


def test_the_val_share_of_many_ids():
    drawn = [in_val(f"photo-{number}", 0.2) for number in range(2000)]
    assert 340 < sum(drawn) < 460  # 400, +- 3.4 standard deviations
    # by hand: the first eight bytes of the hash are that share of all numbers of 64 bits
    head = hashlib.sha256(b"val:photo-0").digest()[:8]
    assert in_val("photo-0", int.from_bytes(head, "big") / 2**64 + 1e-9)
    assert not in_val("photo-0", int.from_bytes(head, "big") / 2**64 - 1e-9)


def listing_with_masks(root, masks, *ids, **folder):
    params = DataParams.parse({"format": "folder", "folder": {"masks": masks, **folder}})
    rows = {name: Tags((), f"t.csv line {line}") for line, name in enumerate(ids, 2)}
    return list_folder(root, params.folder, rows, root / "t.csv", Folders.of(root, params))


def test_images_of_sub_folders_without_any_row_are_left_out_with_the_others(root):
    for name in ("2024/1.jpg", "2024/2.jpg", "overlays/a.jpg"):  # drawn over an image that is used
        photo(root / "images" / name)
    assert listing(root, *"abcd").without_row == ("2024/1", "2024/2")


def test_masks_in_sub_folders_are_no_images_without_a_row(root):
    for name in ("masks/x_mask.png", "masks/y_mask.png"):
        photo(root / "images" / name)
    assert listing_with_masks(root, "images/masks", *"abcd").without_row == ()
    for name in ("cats/1.jpg", "cats/1_mask.png", "cats/2.jpg", "dogs/3.jpg", "dogs/3_mask.png"):
        photo(root / "images" / name)
    found = listing_with_masks(root, "images", *"abcd", "cats/1", mask_suffix="_mask.png")
    assert found.without_row == ("cats/2", "dogs/3")
