"""Annotations of a COCO JSON that draw nothing, or belong to no image or category: a line for each, never silence."""

import numpy as np
import pytest
from exports import SIZE, write_json, write_photo
from pycocotools import mask as coco_mask

from auxseg.datasets.annotations.drawing import coco_region
from auxseg.errors import DataError

SQUARE = [10.0, 5.0, 20.0, 5.0, 20.0, 15.0, 10.0, 15.0]
CATEGORIES = [{"id": 4, "name": "zebra", "supercategory": ""}, {"id": 9, "name": "lion", "supercategory": ""}]


def annotation(number, image, category, segmentation=(SQUARE,), **more):
    return {"id": number, "image_id": image, "category_id": category, "segmentation": segmentation, **more}


def image(number, name):
    return {"id": number, "file_name": name, "height": SIZE[0], "width": SIZE[1]}


def write(root, annotations, categories=CATEGORIES, images=None):
    for name in ("a", "b"):
        write_photo(root / f"images/{name}.jpg")
    images = [image(1, "a.jpg"), image(2, "b.jpg")] if images is None else images
    content = {"categories": categories, "images": images, "annotations": annotations}
    write_json(root / "instances_default.json", content)


@pytest.fixture
def notes(tmp_path, opened):
    """Return a function that writes annotations, draws all masks, and returns the notes."""

    def read(annotations, **more):
        write(tmp_path, annotations, **more)
        data = opened(format="coco-json", folder={"val_share": 0.0})
        data.check()
        return data.found.notes

    return read


@pytest.mark.parametrize(
    "empty",
    [
        [[1, 2]],
        [[1, 2, 9, 2]],
        [[1, 2, 1, 2, 1, 2]],
        [[1, 1, 5, 5, 9, 9]],
        [[100, 100, 110, 100, 110, 110]],
        [[-9, -9, -2, -9, -2, -2]],
        [[0.1, 0.1, 0.5, 0.1, 0.5, 0.5]],
        [SQUARE, [1, 2, 9, 2]],
        {"size": list(SIZE), "counts": [SIZE[0] * SIZE[1]]},
        {"size": list(SIZE), "counts": coco_mask.encode(np.zeros(SIZE, np.uint8, order="F"))["counts"].decode()},
    ],
    ids=str,
)
def test_what_draws_nothing_is_a_warning_with_count_and_first(notes, empty):
    (note,) = notes([annotation(3, 1, 4), annotation(7, 2, 9, empty), annotation(8, 2, 9, [[1, 2]])])
    assert note.startswith("2 annotations have a polygon or RLE without a pixel (fewer than three points, no area,")
    assert "the first is annotation 7 of b.jpg: draw or remove it" in note


def test_what_is_drawn_gives_no_note(notes):
    partly = [[-5, -5, 40, -5, 40, 40]]
    tiny = [[2, 2, 3.6, 2, 3.6, 3.2, 2, 3.2]]
    assert notes([annotation(1, 1, 4, partly), annotation(2, 2, 9, tiny), annotation(3, 2, 9)]) == ()


def test_polygons_without_a_coordinate_are_no_shape(notes, tmp_path, opened):
    (note,) = notes([annotation(1, 1, 4, [[]]), annotation(2, 2, 9)])
    assert note == "1 image has boxes without a polygon or RLE, and so no mask"
    assert opened(format="coco-json", folder={"val_share": 0.0}).found.images[0].mask is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([SQUARE[:-1]], r"annotation 5 has a polygon of 7 coordinates, and each point has two"),
        ([[1]], r"annotation 5 has a polygon of 1 coordinate, and"),
        (
            [[1, 1, 9, 1, 9, float("nan")]],
            r"annotation 5 has a polygon with the coordinate nan in an image of \(20, 30\)",
        ),
        ([[1, 1, 1e9, 1, 9, 9]], r"annotation 5 has a polygon with the coordinate 1e\+09 in an image"),
        (SQUARE, r"annotation 5 has 10.0 where a polygon is a list of numbers, \[\[x1, y1, x2, y2, …\]\]"),
        ([[[1, 1], [9, 1], [9, 9]]], r"annotation 5 has \[\[1, 1\], \[9, 1\], \[9, 9\]\] where a polygon is a list"),
        (
            {"size": list(SIZE), "counts": [10, 5]},
            r"annotation 5 is not .* \(runs of 15 pixels, but the image has 600\)",
        ),
        ({"size": list(SIZE), "counts": "P"}, r"annotation 5 is not .* \(its text ends within a run\)"),
    ],
)
def test_what_is_malformed_is_an_error(notes, wrong, said):
    with pytest.raises(DataError, match=r"a\.jpg: " + said):
        notes([annotation(5, 1, 4, wrong), annotation(6, 2, 9)])


def test_rle_as_text_is_as_long_as_its_image():
    """The total of the runs is found as pycocotools finds them, also where they get shorter."""
    random = np.random.default_rng(0)
    for _ in range(50):
        region = random.random(SIZE) < random.random()
        packed = coco_mask.encode(np.asfortranarray(region.astype(np.uint8)))
        shape = {"size": list(SIZE), "counts": packed["counts"].decode()}
        assert np.array_equal(coco_region(shape, SIZE), region)


@pytest.mark.parametrize(
    ("category", "said"),
    [
        (0, r"annotation 7 \(and 1 more\) has category_id 0, which is not in categories \(4 zebra, 9 lion\); add"),
        ("4", r"annotation 7 \(and 1 more\) has category_id '4', which is not in categories \(4 zebra, 9 lion\)"),
        (None, r"annotation 7 \(and 1 more\) has category_id None, which is not in categories"),
    ],
)
def test_a_category_that_is_not_there(notes, category, said):
    with pytest.raises(DataError, match=said):
        notes([annotation(3, 1, 4), annotation(7, 2, category), annotation(8, 2, category)])


def test_an_annotation_without_a_category(notes):
    without = {"id": 7, "image_id": 1, "segmentation": [SQUARE]}
    with pytest.raises(DataError, match=r"annotation 7 has no category_id; write one of the categories \(4 zebra, 9"):
        notes([without])


def test_a_supercategory_in_use_is_named(notes):
    """Roboflow's category 0 is the project; an annotation of it would make the project's name a class."""
    categories = [
        {"id": 0, "name": "animals", "supercategory": "none"},
        {"id": 1, "name": "zebra", "supercategory": "animals"},
        {"id": 2, "name": "lion", "supercategory": "animals"},
    ]
    (note,) = notes([annotation(3, 1, 1), annotation(7, 2, 0)], categories=categories)
    assert note.startswith(
        "instances_default.json: 1 annotation has the category 'animals' (id 0), which is the supercategory of zebra, "
        "lion: 'animals' becomes a class of its own"
    )
    assert notes([annotation(3, 1, 1), annotation(7, 2, 2)], categories=categories) == ()
    itself = [{"id": 1, "name": "person", "supercategory": "person"}]
    assert notes([annotation(3, 1, 1)], categories=itself) == ()


def test_annotations_of_an_image_that_is_not_listed(notes):
    (note,) = notes([annotation(3, 1, 4), annotation(7, 99, 4), annotation(8, 99, 4)])
    assert "2 annotations are of an image that the file does not list, and not used; the first is annotation 7" in note


def test_one_id_for_two_images_or_categories(notes):
    with pytest.raises(DataError, match=r"'a\.jpg' and 'b\.jpg' have the same id 1; give each its own"):
        notes([annotation(3, 1, 4)], images=[image(1, "a.jpg"), image(1, "b.jpg")])
    twice = [*CATEGORIES, {"id": 4, "name": "okapi", "supercategory": ""}]
    with pytest.raises(DataError, match="'zebra' and 'okapi' have the same id 4; give each its own"):
        notes([annotation(3, 1, 4)], categories=twice)
