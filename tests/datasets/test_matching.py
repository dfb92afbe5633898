"""Files that are there but match no image: counted and named, or an error."""

import numpy as np
import pytest
from builders import lines, mask, photo

from auxseg.datasets.collect import collect
from auxseg.datasets.overview import overview
from auxseg.errors import DataError
from auxseg.images import PHOTO_SUFFIXES
from auxseg.params.data import DataParams

IDS = [f"img{number}" for number in range(14)]
NAMED = {"format": "folder", "classes": ["cat"], "folder": {"masks": "truth"}}


@pytest.fixture
def root(tmp_path):
    for name in IDS:
        photo(tmp_path / f"images/{name}.jpg")
    lines(tmp_path / "image_labels.csv", "image_id,labels", *(f"{name},cat;" for name in IDS))
    return tmp_path


def look(root, data):
    return overview(collect(root, DataParams.parse(data)))


def test_all_masks_match(root):
    for name in IDS:
        mask(root / f"truth/{name}.png", (1,))
    (root / "truth/Thumbs.db").write_bytes(b"")
    view = look(root, NAMED)
    assert view.masks == 14 and view.lines()[-1] == "truth: 14 of 14 files are masks of listed images"
    assert not [line for line in view.warnings() if "truth" in line]


def test_a_folder_of_masks_that_no_parameter_names_is_said(root):
    for name in IDS:
        mask(root / f"GT masks/{name}.png", (1,))
        mask(root / f"saliency/{name}.png", (1,))
    unread = "GT masks: 14 files have the name of a listed image and are not read; to measure with masks, set "
    (warning,) = [line for line in look(root, {"format": "folder"}).warnings() if "are not read" in line]
    assert warning == f"{unread}data.folder.masks to GT masks, and data.classes to their mask values"
    named = look(root, {"format": "folder", "classes": ["cat"], "folder": {"masks": "GT masks"}})
    assert not [line for line in named.warnings() if "not read" in line]


def test_one_of_fourteen_is_said_with_the_first_other(root):
    mask(root / "truth/img0.png", (1,))
    for name in IDS[1:]:
        mask(root / f"truth/{name}_mask.png", (1,))
    view = look(root, NAMED)
    assert view.lines()[-1] == "truth: 1 of 14 files are masks of listed images"
    assert (
        "truth: 13 of 14 files match no image, the first is 'img10_mask.png'; if masks are called <id>_mask.png, "
        "set data.folder.mask_suffix to _mask.png, and rename 1 other, such as 'img0.png' to 'img0_mask.png'"
    ) in view.warnings()


@pytest.mark.parametrize(
    ("suffix", "usual", "odd", "advice"),
    [
        ("", ".png", "img3_mask.png", "13 others are called <id>.png: rename 'img3_mask.png' to 'img3.png'"),
        ("", ".png", "img3_mask.tif", "13 others are called <id>.png: rename 'img3_mask.tif' to 'img3.tif'"),
        (".png", ".png", "img3_gt.tif", "13 others are called <id>.png: save 'img3_gt.tif' as 'img3.png'"),
        (
            "_mask.png",
            "_mask.png",
            "img3.png",
            "13 others are called <id>_mask.png: rename 'img3.png' to 'img3_mask.png'",
        ),
        (
            "_mask",
            "_mask.png",
            "img3-gt.png",
            "13 others are called <id>_mask.png: rename 'img3-gt.png' to 'img3_mask.png'",
        ),
        ("_mask", "_mask.png", "img3.png", "13 others are called <id>_mask.png: rename 'img3.png' to 'img3_mask.png'"),
        ("_mask", "_mask.png", "img3_mask.npz", ".npz is not read as a mask: save it as <id>_mask.png, <id>_mask.tif,"),
    ],
)
def test_one_odd_mask_is_renamed_and_no_suffix_advised(root, suffix, usual, odd, advice):
    for name in IDS:
        mask(root / "new.png", (1,))
        (root / "truth").mkdir(exist_ok=True)
        (root / "new.png").rename(root / "truth" / (odd if name == "img3" else f"{name}{usual}"))
    view = look(root, {**NAMED, "folder": {"masks": "truth", "mask_suffix": suffix}})
    assert view.masks == 13
    (warning,) = [line for line in view.warnings() if line.startswith("truth")]
    assert warning.startswith(f"truth: 1 of 14 files match no image, the first is '{odd}'; {advice}")
    assert "mask_suffix" not in warning
    if "rename" in advice:  # it is right
        (root / "truth" / odd).rename(root / "truth" / advice.split("'")[-2])
        assert look(root, {**NAMED, "folder": {"masks": "truth", "mask_suffix": suffix}}).masks == 14


def test_the_majority_has_a_suffix_and_two_odd_ones_are_counted(root):
    for name in IDS:
        mask(root / f"truth/{name}{dict(img2='.png', img3='_gt.png').get(name, '_mask.png')}", (1,))
    warning = next(line for line in look(root, NAMED).warnings() if line.startswith("truth"))
    assert warning == (
        "truth: 13 of 14 files match no image, the first is 'img0_mask.png'; if masks are called <id>_mask.png, set "
        "data.folder.mask_suffix to _mask.png, and rename 2 others, such as 'img3_gt.png' to 'img3_mask.png'"
    )


@pytest.mark.parametrize("extra", ["_viz.png", ".json"])
def test_files_beside_the_masks_of_all_images_are_no_masks(root, extra):
    for name in IDS:
        mask(root / f"truth/{name}.png", (1,))
        (root / f"truth/{name}{extra}").write_bytes((root / f"truth/{name}.png").read_bytes())
    warning = next(line for line in look(root, NAMED).warnings() if line.startswith("truth"))
    assert warning == (
        f"truth: 14 of 28 files match no image, the first is 'img0{extra}'; its image 'img0' has the mask 'img0.png', "
        "so nothing reads this file: remove it"
    )


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("img0_mask.png", r"if masks are called <id>_mask\.png, set data\.folder\.mask_suffix to _mask\.png"),
        ("img0_gt.npy", r"if masks are called <id>_gt\.npy, set data\.folder\.mask_suffix to _gt\.npy"),
        ("img0.bmp", r"\.bmp is not read as a mask: save it as <id>\.png, <id>\.tif, <id>\.tiff, <id>\.npy$"),
        ("img0.npz", r"\.npz is not read as a mask"),
        ("IMG0.png", "its image is 'img0': write both in the same case"),
        ("IMG0.TIF", "its image is 'img0': write both in the same case"),
        ("17.png", r"name masks <id>\.png, after their images"),
    ],
)
def test_no_match_at_all_is_an_error(root, name, advice):
    (root / "truth").mkdir()
    mask(root / "new.png", (1,))
    (root / "new.png").rename(root / "truth" / name)
    with pytest.raises(DataError, match=rf"truth: 1 of 1 file matches no image, the first is '{name}'; {advice}"):
        look(root, NAMED)


def test_a_suffix_finds_the_masks(root):
    for name in IDS:
        mask(root / f"truth/{name}_Mask.PNG", (1,))
    data = {**NAMED, "folder": {"masks": "truth", "mask_suffix": "_mask.png"}}
    found = collect(root, DataParams.parse(data))
    assert {item.mask for item in found.images} == {f"truth/{name}_Mask.PNG" for name in IDS}


def test_masks_may_lie_beside_the_images(root):
    for name in IDS:
        mask(root / f"images/{name}_mask.png", (1,))
    view = look(root, {**NAMED, "folder": {"masks": "images", "mask_suffix": "_mask.png"}})
    assert view.masks == 14 and view.lines()[-1] == "images: 14 of 14 files are masks of listed images"


def test_a_suffix_without_extension_finds_masks_of_every_kind(root):
    for name, extension in zip(IDS, (".png", ".tif", ".TIFF", ".npy"), strict=False):
        mask(root / "new.png", (1,))
        (root / "truth").mkdir(exist_ok=True)
        (root / "new.png").rename(root / f"truth/{name}_mask{extension}")
    found = collect(root, DataParams.parse({**NAMED, "folder": {"masks": "truth", "mask_suffix": "_mask"}}))
    assert [item.mask for item in found.images if item.mask] == [
        "truth/img0_mask.png",
        "truth/img1_mask.tif",
        "truth/img2_mask.TIFF",
        "truth/img3_mask.npy",
    ]


@pytest.mark.parametrize("format_", ["folder", "class-folders", "voc"])
def test_two_masks_of_an_image_are_both_named(tmp_path, format_):
    images, masks = ("JPEGImages", "SegmentationClass") if format_ == "voc" else ("images", "masks")
    name = "cat/a" if format_ == "class-folders" else "a"
    photo(tmp_path / images / f"{name}.jpg")
    mask(tmp_path / masks / f"{name}.png", (1,))
    np.save(tmp_path / masks / f"{name}.npy", np.ones((4, 6), np.uint8))
    lines(tmp_path / "image_labels.csv", "image_id,labels", "a,cat")
    lines(tmp_path / "ImageSets/Segmentation/train.txt", "a")
    data = {"format": format_, "classes": {"cat": 1}, "val_split": None}
    folder = {} if format_ == "voc" else {"folder": {"masks": "masks", "val_share": 0.0}}
    key = "data.mask_suffix" if format_ == "voc" else "data.folder.mask_suffix"
    with pytest.raises(DataError) as error:
        look(tmp_path, {**data, **folder})
    assert str(error.value) == (
        f"{tmp_path / masks}: '{name}' is a.npy and a.png; keep one of them, or set {key} to the extension of those "
        "that count"
    )
    chosen = {"mask_suffix": ".npy"} if format_ == "voc" else {"folder": {**folder["folder"], "mask_suffix": ".npy"}}
    (item,) = collect(tmp_path, DataParams.parse({**data, **folder, **chosen})).images
    assert item.mask == f"{masks}/{name}.npy"


def test_a_mask_of_the_other_extension_is_said(root):
    mask(root / "truth/img0.png", (1,))
    np.save(root / "truth/img1.npy", np.ones((4, 6), np.uint8))
    view = look(root, {**NAMED, "folder": {"masks": "truth", "mask_suffix": ".png"}})
    assert view.masks == 1
    advice = "set data.folder.mask_suffix to '', which reads <id>.png, <id>.tif, <id>.tiff, <id>.npy"
    assert f"truth: 1 of 2 files match no image, the first is 'img1.npy'; {advice}" in view.warnings()
    both = {**NAMED, "folder": {"masks": "truth", "mask_suffix": ""}}
    assert look(root, both).masks == 2


def test_arrays_beside_the_images_are_no_unread_images(root):
    for name in IDS:
        np.save(root / f"images/{name}_mask.npy", np.ones((4, 6), np.uint8))
    view = look(root, {**NAMED, "folder": {"masks": "images", "mask_suffix": "_mask"}})
    assert view.masks == 14
    assert not [line for line in view.warnings() if line.startswith("images: ")]


@pytest.mark.parametrize("suffix", [".jpg", "_mask.bmp", "/x.png"])
def test_a_suffix_is_that_of_a_mask(suffix):
    with pytest.raises(Exception, match=r"mask_suffix.*must be the rest of a file name"):
        DataParams.parse({**NAMED, "folder": {"masks": "truth", "mask_suffix": suffix}})


def test_an_empty_folder_that_is_named_is_an_error(root):
    (root / "truth").mkdir()
    with pytest.raises(DataError, match=r"truth: no file in it; add masks, or correct data\.folder\.masks"):
        look(root, NAMED)


def test_masks_of_other_images_alone_are_an_error(root):
    photo(root / "images/spare.jpg")
    mask(root / "truth/spare.png", (1,))
    with pytest.raises(DataError, match=r"truth: its mask is of no listed image; correct data\.folder"):
        look(root, NAMED)


def test_an_avif_beside_the_images_is_said(root):
    (root / "images/new.avif").write_bytes(b"x")
    (root / "images/notes.txt").write_text("mine")
    view = look(root, {"format": "folder"})
    warnings = [line for line in view.warnings() if line.startswith("images: ")]
    known = ", ".join(PHOTO_SUFFIXES)
    assert warnings == [f"images: 1 file is not read as an image, the first is 'new.avif'; save such images as {known}"]


def test_voc_a_misspelt_folder_is_an_error(voc):
    data = {"format": "voc", "classes": {"cat": 8, "dog": 12}}
    with pytest.raises(DataError, match=r"SegmentationClas: no such folder; did you mean 'SegmentationClass'\? add"):
        look(voc, {**data, "mask_folder": "SegmentationClas"})


def test_voc_without_its_own_folder_is_said(voc):
    (voc / "SegmentationClass").rename(voc / "elsewhere")
    view = look(voc, {"format": "voc", "classes": {"cat": 8, "dog": 12}})
    assert any("SegmentationClass: no such folder: there are no masks, so no mIoU" in line for line in view.warnings())


def test_voc_has_a_suffix_too(voc):
    for name in "abc":
        (voc / f"SegmentationClass/{name}.png").rename(voc / f"SegmentationClass/{name}-gt.png")
    data = {"format": "voc", "classes": {"cat": 8, "dog": 12}}
    with pytest.raises(DataError, match=r"3 of 3 files match no image, .* set data\.mask_suffix to -gt\.png"):
        look(voc, data)
    assert look(voc, {**data, "mask_suffix": "-gt.png"}).masks == 3


def test_masks_in_sub_folders_are_counted(tmp_path):
    for name in ("cats/1", "cats/2", "dogs/1"):
        photo(tmp_path / f"images/{name}.jpg")
    mask(tmp_path / "truth/cats/1.png", (1,))
    lines(tmp_path / "image_labels.csv", "image_id,labels", "cats/1,cat;", "cats/2,cat;", "dogs/1,")
    view = look(tmp_path, NAMED)
    assert view.masks == 1 and view.lines()[-2] == "truth: 1 of 1 file is a mask of listed images"
