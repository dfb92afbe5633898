"""Masks that are nearly right: smoothed, saved as JPEG, 0 and 255, turned, in colours or alpha. The advice must fit."""

import numpy as np
import pytest
from builders import TEN, lines, photo
from PIL import Image, ImageFilter

from auxseg.datasets.label_png import looks_smoothed
from auxseg.datasets.mask_file import read_numbers
from auxseg.datasets.prepare import prepare
from auxseg.errors import DataError
from auxseg.params.data import DataParams
from auxseg.png_files import read_index_png

VALUES = {"cat": 80, "dog": 160, "cow": 240}
SMOOTHED = "so many values of a few pixels come from smoothing or JPEG: make the masks again from their source"

GREY = "its colours are grey: save one channel of it as 8-bit grey, or set data.colours if its colours are the classes"


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs `prepare` on ten images of 60 x 40 pixels whose masks another function changes."""

    def prepared(save, exif=None, **data):
        root = tmp_path / "raw"
        monkeypatch.setenv("AUXSEG_DATA", str(root))
        lines(root / "image_labels.csv", "image_id,labels,split", *(f"i{n},{';'.join(t)},train" for n, t in TEN))
        (root / "masks").mkdir(parents=True, exist_ok=True)
        for number, names in TEN:
            photo(root / f"images/i{number}.jpg", (60, 40), **({} if exif is None else {"exif": exif}))
            pixels = np.zeros((40, 60), np.uint8)
            for row, name in enumerate(names):
                pixels[4 + 16 * row : 16 + 16 * row, 10:50] = VALUES[name]
            save(Image.fromarray(pixels), root / f"masks/i{number}.png")
        out = tmp_path / "out"
        data = {"format": "folder", "classes": VALUES, "folder": {"masks": "masks"}, **data}
        prepare(DataParams.parse(data), ["00"], out / "manifest", out / "masks", out / "contradictions.json")

    return prepared


def smooth(image, path):
    image.filter(ImageFilter.GaussianBlur(1)).save(path)


def jpeg_before(image, path):
    image.save(path.with_suffix(".jpg"), quality=60)
    with Image.open(path.with_suffix(".jpg")) as changed:
        changed.save(path)
    path.with_suffix(".jpg").unlink()


@pytest.mark.parametrize("save", [smooth, jpeg_before])
def test_smoothed_masks_get_no_advice_to_hide_their_values(run, save, caplog):
    with pytest.raises(DataError, match=SMOOTHED) as error:
        run(save)
    assert "data.unlisted" not in str(error.value)
    for unlisted in ("ignore", "background"):
        caplog.clear()
        run(save, unlisted=unlisted)
        assert SMOOTHED in caplog.text and "masks have many values that data.classes does not list" in caplog.text
        assert "in data.classes" not in caplog.text.replace("mask values in data.classes", "")  # no values to set


def test_many_unlisted_classes_are_no_smoothing():
    """As in a data set of 150 classes of which two are listed: each value has pixels of an object."""
    pixels = np.repeat(np.arange(25, dtype=np.uint8), 40).reshape(25, 40)
    assert not looks_smoothed(pixels, [0, 1, 2, 255])
    assert not looks_smoothed(np.zeros((40, 60), np.uint8), [0])


def test_255_for_the_only_class_has_advice_that_works(run, tmp_path):
    def save(image, path):
        image.point(lambda value: 255 * (value > 0)).save(path)

    lone = {"classes": {"cat": 1}, "unlisted": "background", "tags": "partial"}
    with pytest.raises(
        DataError, match=r"only the values 0 and 255, and 255 is always ignored; save 1 \(cat\)"
    ) as error:
        run(save, **lone)
    assert "list `cat,#ffffff` in a CSV with the columns name,colour and set data.colours" in str(error.value)
    lines(tmp_path / "raw/colours.csv", "name,colour", "cat,#ffffff")
    run(save, **lone, colours="colours.csv")


def test_the_values_that_the_masks_have_are_listed(run):
    with pytest.raises(DataError, match=r"they have the values 0, 1, where 0 is background, 255 is ignored"):
        run(lambda image, path: image.point(lambda value: value > 0).save(path), unlisted="background")


def test_masks_of_turned_images(run):
    exif = Image.Exif()
    exif[274] = 6
    with pytest.raises(DataError, match=r"40 x 60 \(upright, by its EXIF tag\); turn the mask as the image is"):
        run(lambda image, path: image.save(path), exif=exif)
    run(lambda image, path: image.transpose(Image.Transpose.ROTATE_270).save(path), exif=exif)
    with pytest.raises(DataError, match="save the mask at the size of the image"):
        run(lambda image, path: image.resize((30, 20), 0).save(path))


@pytest.mark.parametrize(
    ("mode", "advice"),
    [
        ("RGB", GREY),
        ("LA", GREY),
        ("alpha", "only its alpha channel varies: save that channel as 8-bit grey"),
        ("I;16", "save it in that form, or as TIFF, which may have 16 bits"),
        ("JPEG", "a JPEG changes values: make it again from its source, without loss"),
        ("colours", "save it in that form, or set data.colours if its colours are the classes"),
    ],
)
def test_other_forms_of_png(tmp_path, mode, advice):
    grey = Image.fromarray(np.arange(24, dtype=np.uint8).reshape(4, 6) * 10)
    image = {
        "alpha": lambda: Image.merge("RGBA", (*[grey.point(lambda _: 9)] * 3, grey)),
        "colours": lambda: Image.merge("RGB", (grey, grey, grey.point(lambda _: 7))),
        "I;16": lambda: Image.fromarray(np.asarray(grey).astype(np.uint16)),
        "JPEG": lambda: grey,
    }.get(mode, lambda: grey.convert(mode))()
    image.save(tmp_path / "m.png", "JPEG" if mode == "JPEG" else "PNG")
    with pytest.raises(DataError) as error:
        read_index_png(tmp_path / "m.png")
    assert str(error.value).endswith(advice)
    if "TIFF" in advice:  # it is right
        image.save(tmp_path / "m.tif")
        assert np.array_equal(read_numbers(tmp_path / "m.tif"), np.asarray(grey))


def test_jpegs_beside_the_images_are_no_masks_to_be_saved_as_png(run):
    with pytest.raises(DataError, match=r"10 of 10 files match no image.*a JPEG changes mask values: make the"):
        run(lambda image, path: image.save(path.with_suffix(".jpg")))
