"""Masks in TIFF and .npy: the class numbers that each kind holds, and what is rejected."""

import hashlib

import numpy as np
import pytest
import tifffile
from builders import lines, mask, photo
from PIL import Image

from auxseg.datasets.checks import decode_all
from auxseg.datasets.collect import collect
from auxseg.datasets.manifest import ClassTable
from auxseg.datasets.mask_file import mask_palette, read_numbers
from auxseg.datasets.masks import Masks, read_mask
from auxseg.datasets.prepare import examine
from auxseg.encoded import PALETTE
from auxseg.errors import DataError
from auxseg.params.data import DataParams

NUMBERS = np.array([[0, 8, 12, 255, 8, 0]] * 4)
CLASSES = ClassTable(("dog", "cat"), (12, 8))
INDICES = [0, 2, 1, 255, 2, 0]


def save(path, values, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, values, allow_pickle=True)
    else:
        tifffile.imwrite(path, values, photometric=options.pop("photometric", "minisblack"), **options)
    return path


ARRAYS = ("u1", "i2", "u2", ">u2", "i4", "i8", "u8", "f2", "f4", "f8")
TIFFS = ("u1", "i2", "u2", ">u2", "i4", "u4", "f4")


@pytest.mark.parametrize(
    ("name", "dtype"), [*(("m.npy", one) for one in ARRAYS), *(("m.tif", one) for one in TIFFS), ("m.TIFF", "u2")]
)
def test_every_type_of_number_gives_the_same_mask(tmp_path, name, dtype):
    path = save(tmp_path / name, NUMBERS.astype(dtype))
    read = read_numbers(path)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, NUMBERS)
    assert read_mask(path, CLASSES, "error")[0].tolist() == INDICES


@pytest.mark.parametrize("shape", ["fortran", "one channel"])
def test_arrays_in_other_orders(tmp_path, shape):
    values = np.asfortranarray(NUMBERS.astype(np.uint8)) if shape == "fortran" else NUMBERS.astype(np.uint8)[..., None]
    np.testing.assert_array_equal(read_numbers(save(tmp_path / "m.npy", values)), NUMBERS)


@pytest.mark.parametrize("name", ["m.npy", "m.tif"])
def test_true_is_class_1(tmp_path, name):
    shown = NUMBERS > 8
    # tifffile's own choice for bool is "0 is white", which Pillow inverts
    path = save(tmp_path / name, shown, **({"photometric": None} if name == "m.tif" else {}))
    np.testing.assert_array_equal(read_numbers(path), shown.astype(int))


def test_a_tiff_in_which_0_is_white_has_its_stored_numbers(tmp_path):
    path = save(tmp_path / "m.tif", NUMBERS.astype(np.uint8), photometric="miniswhite")
    np.testing.assert_array_equal(read_numbers(path), NUMBERS)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_a_palette_tiff_gives_indices_not_colours(tmp_path, compression):
    image = Image.fromarray(NUMBERS.astype(np.uint8))
    image.putpalette(PALETTE.tobytes())
    image.save(tmp_path / "m.tif", compression=compression)
    with Image.open(tmp_path / "m.tif") as opened:
        assert opened.mode == "P"
    np.testing.assert_array_equal(read_numbers(tmp_path / "m.tif"), NUMBERS)
    np.testing.assert_array_equal(mask_palette(tmp_path / "m.tif"), PALETTE)


def test_reduced_copies_of_a_tiff_do_not_count(tmp_path):
    with tifffile.TiffWriter(tmp_path / "m.tif") as file:
        file.write(NUMBERS.astype(np.uint8), photometric="minisblack")
        file.write(NUMBERS[::2, ::2].astype(np.uint8), photometric="minisblack", subfiletype=1)
    np.testing.assert_array_equal(read_numbers(tmp_path / "m.tif"), NUMBERS)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (
            np.zeros((4, 6, 3), np.uint8),
            {"photometric": "rgb"},
            "has 3 bands; save it in that form, or set data.colours",
        ),
        (np.zeros((3, 40, 60), np.uint8), {}, "this one has several pages; save the one with"),
        (NUMBERS, {}, "values of type int64 are not read from a TIFF; save it with 8 or 16 bits"),
        (NUMBERS / 2.0, {}, "values of type float64 are not read from a TIFF"),
        (
            NUMBERS.astype(np.float32) / 3,
            {},
            r"2\.66667 in row 0, column 1 is not a whole class number",
        ),
    ],
)
def test_tiffs_that_are_no_masks(tmp_path, values, options, message):
    with pytest.raises(DataError, match=rf"m\.tif: .*{message}"):
        read_numbers(save(tmp_path / "m.tif", values, **options))


@pytest.mark.parametrize(
    ("format_", "options", "message"),
    [
        ("TIFF", {"compression": "jpeg"}, "is compressed as a JPEG or WebP, which changes class numbers"),
        ("PNG", {}, "but this one is PNG of mode L; save it as a TIFF"),
    ],
)
def test_what_else_is_called_tif(tmp_path, format_, options, message):
    Image.fromarray(NUMBERS.astype(np.uint8)).save(tmp_path / "m.tif", format_, **options)
    with pytest.raises(DataError, match=rf"m\.tif: .*{message}"):
        read_numbers(tmp_path / "m.tif")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (NUMBERS + 0.5, r"0\.5 in row 0, column 0 is not a whole class number"),
        (np.where(NUMBERS == 12, np.nan, NUMBERS), "nan in row 0, column 2 is not a whole class number"),
        (np.where(NUMBERS == 12, -np.inf, NUMBERS), "-inf in row 0, column 2 is not a whole class number"),
        (
            NUMBERS.astype(object),
            "holds Python objects, which are not read; save the class numbers as uint8",
        ),
        (NUMBERS[None], r"this one has the shape \(1, 4, 6\)"),
        (NUMBERS.ravel(), r"this one has the shape \(24,\)"),
        (np.zeros((4, 6, 3), np.uint8), r"this one has the shape \(4, 6, 3\)"),
        (NUMBERS.astype(complex), "holds values of type complex128"),
    ],
)
def test_arrays_that_are_no_masks(tmp_path, values, message):
    with pytest.raises(DataError, match=rf"m\.npy: .*{message}"):
        read_numbers(save(tmp_path / "m.npy", values))


@pytest.mark.parametrize("name", ["m.npy", "m.tif"])
def test_numbers_beyond_8_bits_follow_unlisted(tmp_path, name):
    path = save(tmp_path / name, np.where(NUMBERS == 12, 300, NUMBERS).astype(np.uint16))
    with pytest.raises(DataError, match=r"mask value 300 is not in the class table \(0, 12 dog, 8 cat, 255\)"):
        read_mask(path, CLASSES, "error")
    assert read_mask(path, CLASSES, "ignore")[0].tolist() == [0, 2, 255, 255, 2, 0]
    assert read_mask(path, CLASSES, "background")[0].tolist() == [0, 2, 0, 255, 2, 0]


@pytest.mark.parametrize("name", ["m.npy", "m.tif"])
def test_a_number_below_0_is_no_class(tmp_path, name):
    path = save(tmp_path / name, np.where(NUMBERS == 255, -1, NUMBERS).astype(np.int8))
    with pytest.raises(DataError, match="mask value -1 is not in the class table"):
        read_mask(path, CLASSES, "error")
    assert read_mask(path, CLASSES, "ignore")[0].tolist() == INDICES


def test_numbers_with_a_void_class_are_read_too(tmp_path):
    photo(tmp_path / "images/a.jpg")
    save(tmp_path / "masks/a.npy", np.where(NUMBERS == 255, 1000, NUMBERS))
    lines(tmp_path / "image_labels.csv", "image_id,labels", "a,cat;dog")
    data = {"format": "folder", "classes": {"cat": 8, "dog": 12}, "void": [9], "folder": {"masks": "masks"}}
    found = collect(tmp_path, DataParams.parse(data))
    path = tmp_path / "masks/a.npy"
    with pytest.raises(DataError, match=r"mask value 1000 is not in the class table \(0, 8, 9, 12, 255\)"):
        read_mask(path, found.classes, "error", found.form)
    assert read_mask(path, found.classes, "ignore", found.form)[0].tolist() == [0, 1, 2, 255, 1, 0]


def test_masks_in_colours_may_be_tiffs(tmp_path):
    photo(tmp_path / "images/a.jpg")
    (tmp_path / "masks").mkdir()
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, 2:] = (128, 64, 128)
    lines(tmp_path / "colours.csv", "name,r,g,b", "road,128,64,128")
    lines(tmp_path / "image_labels.csv", "image_id,labels", "a,road")
    params = DataParams.parse({"format": "folder", "colours": "colours.csv", "folder": {"masks": "masks"}})
    Image.fromarray(pixels).save(tmp_path / "masks/a.tif", compression="tiff_lzw")
    found = collect(tmp_path, params)
    assert read_mask(tmp_path / "masks/a.tif", found.classes, "error", found.form)[0].tolist() == [0, 0, 1, 1, 1, 1]
    Image.fromarray(pixels).save(tmp_path / "masks/a.tif", compression="jpeg")
    with pytest.raises(DataError, match=r"a\.tif: a mask must be a PNG or TIFF, but this one is compressed with loss"):
        read_mask(tmp_path / "masks/a.tif", found.classes, "error", found.form)
    with pytest.raises(DataError, match=r"a\.npy: an array has no colours, but data\.colours is set"):
        read_mask(save(tmp_path / "masks/a.npy", pixels), found.classes, "error", found.form)


@pytest.fixture
def folder(tmp_path):
    """Three images, each with the same mask in another form."""
    for name in "abc":
        photo(tmp_path / f"images/{name}.jpg")
    mask(tmp_path / "masks/a.png", NUMBERS.ravel().tolist())
    save(tmp_path / "masks/b.tif", NUMBERS.astype(np.uint16))
    save(tmp_path / "masks/c.npy", NUMBERS)
    lines(tmp_path / "image_labels.csv", "image_id,labels", "a,cat;dog", "b,cat;dog", "c,cat")
    return tmp_path


DATA = DataParams.parse(
    {"format": "folder", "classes": {"dog": 12, "cat": 8}, "folder": {"masks": "masks", "val_share": 0.0}}
)


def test_prepare_sees_the_same_in_every_form(folder, monkeypatch):
    monkeypatch.setenv("AUXSEG_DATA", str(folder))
    examined = examine(DATA)
    assert [item.mask for item, _ in examined.pairs] == ["masks/a.png", "masks/b.tif", "masks/c.npy"]
    assert {decoded.shown for _, decoded in examined.pairs} == {frozenset({1, 2})}
    for item, decoded in examined.pairs:
        assert decoded.mask_sha256 == hashlib.sha256((folder / item.mask).read_bytes()).hexdigest()
    assert [one.id for one in examined.contradictions.images] == ["c"]
    assert "first masks/c.npy, which shows 'dog' without a label" in examined.contradictions.message


def test_a_mask_of_another_size_is_rejected(folder):
    save(folder / "masks/c.npy", NUMBERS.T)
    found = collect(folder, DATA)
    with pytest.raises(DataError, match=r"masks/c\.npy: mask of 4 x 6 pixels, but its image .* has 6 x 4"):
        decode_all(folder, found.images, found.classes, "error", found.form)


def test_masks_are_read_by_id_whatever_their_form(folder):
    masks = Masks(folder, {"a": "masks/a.png", "b": "masks/b.tif", "c": "masks/c.npy"}, CLASSES, "error")
    for name in "abc":
        assert masks[name][0].tolist() == INDICES
        assert masks.sha256(name) == hashlib.sha256(masks.file(name).read_bytes()).hexdigest()
