"""JSON files as labelme 5 saves them."""

import base64
import io

import numpy as np
import pytest
from exports import SIZE, write_json, write_photo
from PIL import Image

from auxseg.datasets.annotations.recognise import recognise
from auxseg.datasets.overview import overview
from auxseg.errors import DataError
from auxseg.params.data import DataParams


def shape(label, points, kind="polygon", **more):
    return {
        "label": label,
        "points": points,
        "group_id": None,
        "description": "",
        "shape_type": kind,
        "flags": {},
        "mask": None,
        **more,
    }


def save(root, name, *shapes, flags=None, folder="", image_path=None):
    write_photo(root / folder / f"{name}.jpg")
    value = {"version": "5.5.0", "flags": flags or {}, "shapes": list(shapes), "imagePath": image_path or f"{name}.jpg"}
    value |= {"imageData": None, "imageHeight": SIZE[0], "imageWidth": SIZE[1]}
    write_json(root / folder / f"{name}.json", value)


SQUARE = [[10.0, 5.0], [19.0, 5.0], [19.0, 14.0], [10.0, 14.0]]


def square(value):
    mask = np.zeros(SIZE, np.uint8)
    mask[5:15, 10:20] = value  # labelme's outline belongs to the shape
    return mask


def test_shapes_beside_the_images(tmp_path, opened):
    save(tmp_path, "a", shape("dog", SQUARE))
    save(
        tmp_path, "b", shape("cat", [[19.0, 14.0], [10.0, 5.0]], "rectangle"), shape("dog", [[3, 3], [3, 6]], "circle")
    )
    data = opened(format="labelme", folder={"val_share": 0.0})
    data.check()
    assert data.names == ("cat", "dog")
    assert data.tags == {"a": ("dog",), "b": ("cat", "dog")}
    assert np.array_equal(data.mask("a"), square(2))
    b = data.mask("b")
    assert np.array_equal(b == 1, square(1) == 1)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    assert np.array_equal(b == 2, (x - 3) ** 2 + (y - 3) ** 2 <= 3.2**2)


def test_a_later_shape_covers_an_earlier_one_and_two_names_are_no_class(tmp_path, opened):
    left = [[0, 0], [14, 0], [14, 19], [0, 19]]
    save(
        tmp_path,
        "a",
        shape("cat", SQUARE),
        shape("__ignore__", left),
        shape("_background_", [[0, 0], [4, 4]], "rectangle"),
    )
    data = opened(format="labelme")
    expected = square(1)
    expected[:, :15] = 255
    expected[:5, :5] = 0
    assert data.tags["a"] == ("cat",)
    assert np.array_equal(data.mask("a"), expected)


def test_a_mask_of_the_ai_tool(tmp_path, opened):
    inner = np.array([[True, False, True], [True, True, True]])
    buffer = io.BytesIO()
    Image.fromarray(inner).save(buffer, "PNG")
    text = base64.b64encode(buffer.getvalue()).decode()
    save(tmp_path, "a", shape("cat", [[4.0, 7.0], [6.0, 8.0]], "mask", mask=text))
    expected = np.zeros(SIZE, np.uint8)
    expected[7:9, 4:7] = inner
    assert np.array_equal(opened(format="labelme").mask("a"), expected)


def test_an_oriented_rectangle_of_labelme_6(tmp_path, opened):
    turned = [[10.0, 10.0], [15.0, 5.0], [20.0, 10.0], [15.0, 15.0]]
    save(tmp_path, "a", shape("cat", turned, "oriented_rectangle"))
    save(tmp_path, "b", shape("cat", turned))
    data = opened(format="labelme", folder={"val_share": 0.0})
    assert np.array_equal(data.mask("a"), data.mask("b")) and data.mask("a")[10, 10:21].all()
    assert data.found.notes == ()


def test_points_and_flags_name_a_class_but_make_no_mask(tmp_path, opened):
    save(tmp_path, "a", shape("cat", SQUARE), shape("dog", [[1, 1]], "point"))
    save(tmp_path, "b", flags={"dog": True, "cat": False})
    save(tmp_path, "c", shape("cat", SQUARE))
    data = opened(format="labelme", folder={"val_share": 0.0})
    assert data.tags == {"a": ("cat", "dog"), "b": ("dog",), "c": ("cat",)}
    assert [item.mask for item in data.found.images] == [None, None, "c.json"]
    assert "2 images have only points, lines or flags" in data.found.notes[0]


def test_json_in_a_folder_of_its_own_from_windows(tmp_path, opened):
    save(tmp_path, "a", shape("cat", SQUARE), folder="images")
    (tmp_path / "json").mkdir()
    save(tmp_path, "b", shape("dog", SQUARE), folder="images/deep", image_path="..\\images\\deep\\b.jpg")
    (tmp_path / "images/deep/b.json").rename(tmp_path / "json/b.json")
    data = opened(format="labelme", folder={"val_share": 0.0})
    assert {item.id: item.path for item in data.found.images} == {"a": "images/a.jpg", "deep/b": "images/deep/b.jpg"}


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([shape("cat", [[1, 1], [2, 2]])], r"a\.json: shape 1 \('cat'\): 2 points do not make a polygon"),
        ([shape("cat", [[1, 1], [2, 2]], "mask", mask="!")], r"a\.json: shape 1 \('cat'\): not a PNG in base64"),
        ([{"label": "cat"}], r"a\.json: not a JSON of labelme \(KeyError: 'points'\)"),
    ],
)
def test_damaged_shapes_are_rejected(tmp_path, opened, shapes, message):
    save(tmp_path, "a", *shapes)
    with pytest.raises(DataError, match=message):
        opened(format="labelme").check()


@pytest.mark.parametrize("end", [0.4, 0.9])
def test_half_a_file_is_not_taken_for_another_programs(tmp_path, opened, end):
    for name in "ab":
        save(tmp_path, name, shape("cat", SQUARE))
    (tmp_path / "config.json").write_text("// not JSON, and nothing of labelme's")
    content = (tmp_path / "b.json").read_text()
    (tmp_path / "b.json").write_text(content[: int(end * len(content))])
    with pytest.raises(DataError, match=r"b\.json: .*JSON"):
        opened(format="labelme")


def test_it_is_recognised(tmp_path):
    save(tmp_path, "a", shape("cat", SQUARE))
    assert recognise(tmp_path, DataParams.parse({"format": "folder"})) == ("labelme", "a.json")


def test_spellings_of_a_class_are_one_and_no_type_is_a_polygon(tmp_path, opened):
    for name, label in {"a": "cat", "b": "Cat", "c": "cat "}.items():
        save(tmp_path, name, shape(label, SQUARE, None if name == "b" else "polygon"))
    data = opened(format="labelme", folder={"val_share": 0.0})
    data.check()
    assert (data.names, data.tags["b"]) == (("cat",), ("cat",))
    assert np.array_equal(data.mask("b"), square(1))
    assert data.found.notes == ("labels: 'Cat' (1 image) is read as 'cat' (2 images)",)
    assert opened(format="labelme", classes=["CAT"]).tags["a"] == ("CAT",)


def test_an_image_that_is_not_there_is_told_where_the_name_of_the_json_is_read(tmp_path, opened):
    save(tmp_path, "a", shape("cat", SQUARE))
    save(tmp_path, "b", shape("cat", SQUARE), image_path="IMG_7.jpg")
    (note,) = opened(format="labelme", folder={"val_share": 0.0}).found.notes
    assert note == (
        "1 file names an image that is not there, so the one called as the JSON is read: b.json names 'IMG_7.jpg', "
        "read is b.jpg; correct imagePath if it is another"
    )


def test_shapes_outside_the_image_are_counted_and_nan_is_an_error(tmp_path, opened):
    outside = shape("dog", [[SIZE[1], 2], [SIZE[1] + 5, 2], [SIZE[1] + 5, 9]])
    save(tmp_path, "a", shape("cat", SQUARE), outside, outside)
    (note,) = opened(format="labelme", folder={"val_share": 0.0}).found.notes
    assert note.startswith("2 shapes lie outside the image, so the mask lacks what is among the labels; the first is")
    assert "shape 2 ('dog') of a.json" in note
    for wrong in (float("nan"), 1e9):
        save(tmp_path, "a", shape("cat", [[wrong, 1], [9, 1], [9, 9]]))
        with pytest.raises(DataError, match=r"a\.json: shape 1 \('cat'\): has the coordinate (nan|1e\+09) in an image"):
            opened(format="labelme", folder={"val_share": 0.0}).check()


def test_a_json_of_another_size_is_not_blamed_on_exif(tmp_path, opened):
    save(tmp_path, "a", shape("cat", SQUARE))
    Image.new("RGB", SIZE).save(tmp_path / "a.jpg")  # turned by 90 degrees, without an EXIF tag
    with pytest.raises(DataError, match="save the mask at the size of the image") as error:
        opened(format="labelme", folder={"val_share": 0.0}).check()
    assert "EXIF" not in str(error.value)


@pytest.mark.parametrize("folder", ["", "images"])
def test_images_without_an_annotation_are_counted(tmp_path, opened, folder):
    """Somebody may think that they are taken as images without an object."""
    save(tmp_path, "a", shape("dog", SQUARE), folder=folder)
    for name in ("b.jpg", "c.png"):
        write_photo(tmp_path / folder / name)
    (tmp_path / folder / "Thumbs.db").touch()
    data = opened(format="labelme")
    assert (list(data.tags), data.found.without_row) == (["a"], ("b", "c"))
    (warning,) = [line for line in overview(data.found).warnings() if "left out" in line]
    assert warning.startswith("2 images have no annotation and are left out: b, c; annotate them, without any shape")


def test_what_lies_in_other_folders_is_not_meant(tmp_path, opened):
    """Overlays, and what `labelme_json_to_dataset` writes."""
    save(tmp_path, "a", shape("dog", SQUARE), folder="images")
    for name in ("a_json/img.png", "overlays/a.png", "images/a_json/label.png"):
        write_photo(tmp_path / name)
    (tmp_path / "LICENSE").touch()
    data = opened(format="labelme")
    assert data.found.without_row == ()
    assert not [line for line in overview(data.found).warnings() if "left out" in line or "not read" in line]
