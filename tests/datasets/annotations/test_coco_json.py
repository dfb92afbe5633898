"""COCO JSON with categories of its own, as CVAT, Roboflow and COCO's own tools write it."""

import json

import numpy as np
import pytest
from exports import SIZE, write_json, write_photo
from pycocotools import mask as coco_mask

from auxseg.datasets.annotations.recognise import recognise
from auxseg.datasets.contradictions import Contradictions
from auxseg.datasets.prepare import prepare
from auxseg.errors import DataError
from auxseg.params.data import DataParams

BOX = np.zeros(SIZE, np.uint8)
BOX[5:15, 10:20] = 1
POLYGON = [10.0, 5.0, 20.0, 5.0, 20.0, 15.0, 10.0, 15.0]


def annotation(number, image, category, segmentation, **more):
    box = {"bbox": [10.0, 5.0, 10.0, 10.0], "area": 100.0, "iscrowd": 0}
    return {"id": number, "image_id": image, "category_id": category, "segmentation": segmentation, **box, **more}


def image(number, name):
    return {"id": number, "file_name": name, "height": SIZE[0], "width": SIZE[1], "license": 0, "date_captured": ""}


def rle(region):
    packed = coco_mask.encode(np.asfortranarray(region))
    return {"size": packed["size"], "counts": packed["counts"].decode()}


def counts(region):
    flat = region.flatten(order="F")
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat]))).tolist()
    return {"size": list(region.shape), "counts": np.diff([0, *edges, flat.size]).tolist()}


CATEGORIES = [{"id": 4, "name": "zebra", "supercategory": ""}, {"id": 9, "name": "traffic light", "supercategory": ""}]


def cvat(root, annotations, names=("a", "b")):
    for name in names:
        write_photo(root / f"images/{name}.jpg")
    images = [image(number, f"{name}.jpg") for number, name in enumerate(names, 1)]
    content = {"licenses": [], "info": {}, "categories": CATEGORIES, "images": images, "annotations": annotations}
    write_json(root / "annotations/instances_default.json", content)


def test_tags_and_masks_from_polygons_and_both_kinds_of_rle(tmp_path, opened):
    small = np.zeros(SIZE, np.uint8)
    small[8:10, 12:14] = 1
    cvat(
        tmp_path,
        [
            annotation(1, 1, 9, rle(small)),  # first in the file, but on top because it is smaller
            annotation(2, 1, 4, [POLYGON]),
            annotation(3, 2, 9, counts(BOX)),
        ],
    )
    data = opened(format="coco-json", folder={"val_share": 0.0})
    data.check()
    assert data.names == ("zebra", "traffic light")  # in the order of the file, and not by id or alphabet
    assert data.tags == {"a": ("zebra", "traffic light"), "b": ("traffic light",)}
    reference = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects([POLYGON], *SIZE)))
    reference[small > 0] = 2
    assert np.array_equal(data.mask("a"), reference)
    assert np.array_equal(data.mask("b"), BOX * 2)


def test_a_crowd_is_ignored_where_no_object_is(tmp_path, opened):
    everywhere = np.ones(SIZE, np.uint8)
    crowd = annotation(1, 1, 4, counts(everywhere), iscrowd=1)
    cvat(tmp_path, [crowd, annotation(2, 1, 9, [POLYGON])], names=("a",))
    mask = opened(format="coco-json").mask("a")
    assert set(np.unique(mask)) == {2, 255}
    assert (mask == 2).sum() == 100


def test_roboflow_has_a_file_a_split_and_a_category_for_the_project(tmp_path, opened):
    categories = [
        {"id": 0, "name": "animals", "supercategory": "none"},
        {"id": 1, "name": "cat", "supercategory": "animals"},
    ]
    for split in ("train", "valid", "test"):
        name = f"{split}1_jpg.rf.0f3c.jpg"
        write_photo(tmp_path / split / name)
        content = {
            "categories": categories,
            "images": [image(0, name)],
            "annotations": [annotation(0, 0, 1, [POLYGON])],
        }
        write_json(tmp_path / split / "_annotations.coco.json", content)
    data = opened(format="coco-json")
    assert data.names == ("cat",)
    assert data.splits == {
        "train/train1_jpg.rf.0f3c": "train",
        "valid/valid1_jpg.rf.0f3c": "val",
        "test/test1_jpg.rf.0f3c": "val",
    }


def test_coco_2017_finds_images_in_the_folders_of_the_splits(tmp_path, opened):
    for split, name in (("train", "000000000009"), ("val", "000000000139")):
        write_photo(tmp_path / f"{split}2017/{name}.jpg")
        content = {"categories": CATEGORIES, "images": [image(9, f"{name}.jpg")]}
        content["annotations"] = [annotation(1, 9, 4, [POLYGON])]
        write_json(tmp_path / f"annotations/instances_{split}2017.json", content)
        write_json(tmp_path / f"annotations/captions_{split}2017.json", {"images": [], "annotations": []})
    data = opened(format="coco-json")
    assert data.splits == {"train2017/000000000009": "train", "val2017/000000000139": "val"}


def test_boxes_alone_give_tags_but_no_mask(tmp_path, opened):
    cvat(tmp_path, [annotation(1, 1, 4, []), annotation(2, 2, 9, [POLYGON])])
    data = opened(format="coco-json", folder={"val_share": 0.0})
    assert data.tags["a"] == ("zebra",)
    assert [item.mask for item in data.found.images] == [None, "annotations/instances_default.json#2"]
    assert data.found.notes == ("1 image has boxes without a polygon or RLE, and so no mask",)


def test_data_classes_choose_and_order_the_categories(tmp_path, opened):
    cvat(tmp_path, [annotation(1, 1, 4, [POLYGON]), annotation(2, 2, 9, [POLYGON])])
    data = opened(format="coco-json", classes=["traffic light"], unlisted="ignore", folder={"val_share": 0.0})
    assert (data.names, data.tags) == (("traffic light",), {"b": ("traffic light",)})
    assert data.mask("b").max() == 1


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ([annotation(1, 1, 5, [POLYGON])], "annotation 1 has category_id 5, which is not in categories"),
        ([annotation(1, 1, 4, {"size": [3, 3], "counts": [9]})], r"annotation 1 has size \(3, 3\), the image"),
        ([annotation(1, 1, 4, {"counts": 5})], "annotation 1 is not a polygon or RLE"),
    ],
)
def test_damaged_files_are_rejected_with_the_annotation(tmp_path, opened, annotations, message):
    cvat(tmp_path, annotations, names=("a",))
    with pytest.raises(DataError, match=message):
        opened(format="coco-json").check()


def test_images_that_are_not_there_are_counted_and_none_is_an_error(tmp_path, opened):
    cvat(tmp_path, [annotation(1, 1, 4, [POLYGON]), annotation(2, 2, 4, [POLYGON])])
    (tmp_path / "images/b.jpg").unlink()
    assert opened(format="coco-json").found.without_image == ("b.jpg",)
    (tmp_path / "images/a.jpg").unlink()
    with pytest.raises(DataError, match=r"none of the 2 annotated images is there \(first missing: 'a.jpg'\)"):
        opened(format="coco-json")


def test_it_is_recognised_unless_there_is_a_table(tmp_path):
    cvat(tmp_path, [annotation(1, 1, 4, [POLYGON])])
    params = DataParams.parse({"format": "folder"})
    assert recognise(tmp_path, params) == ("coco-json", "annotations/instances_default.json")
    (tmp_path / "image_labels.csv").write_text("image_id,labels\na,zebra\n")
    assert recognise(tmp_path, params) is None


def test_brush_masks_of_cvat_are_objects(tmp_path, opened):
    brush = {"iscrowd": 1, "attributes": {"occluded": False}}
    crowd = {"iscrowd": 1, "attributes": {"is_crowd": True}}
    cvat(tmp_path, [annotation(1, 1, 4, counts(BOX), **brush), annotation(2, 2, 4, counts(BOX), **crowd)])
    data = opened(format="coco-json", folder={"val_share": 0.0})
    assert np.array_equal(data.mask("a"), BOX)
    assert np.array_equal(data.mask("b"), np.where(BOX, 255, 0))


def test_a_class_in_a_crowd_alone_contradicts_nothing(tmp_path, opened, monkeypatch):
    lone = np.zeros(SIZE, np.uint8)
    lone[0] = 1
    cvat(tmp_path, [annotation(1, 1, 4, [POLYGON]), annotation(2, 1, 9, counts(lone), iscrowd=1)], names=("a",))
    monkeypatch.setenv("AUXSEG_DATA", str(tmp_path))
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)
    data = opened(format="coco-json", folder={"val_share": 0.0})
    assert data.tags["a"] == ("zebra", "traffic light")
    out = tmp_path / "out"
    prepare(data.params, ["00"], out / "manifest", out / "masks", out / "contradictions.json")
    assert Contradictions.read(out / "contradictions.json") == Contradictions(1)


def test_an_unlisted_object_stays_on_a_larger_one(tmp_path, opened):
    small = np.zeros(SIZE, np.uint8)
    small[8:10, 12:14] = 1
    cvat(tmp_path, [annotation(1, 1, 4, [POLYGON]), annotation(2, 1, 9, counts(small))], names=("a",))
    mask = opened(format="coco-json", classes=["zebra"], unlisted="ignore", folder={"val_share": 0.0}).mask("a")
    assert np.array_equal(mask == 255, small > 0)


def test_a_file_without_images_and_most_images_missing(tmp_path, opened):
    cvat(tmp_path, [], names=())
    with pytest.raises(DataError, match="no image is annotated; annotate some"):
        opened(format="coco-json")
    cvat(tmp_path, [annotation(1, 1, 4, [POLYGON])], names=("a", "b", "c"))
    for name in "bc":
        (tmp_path / f"images/{name}.jpg").unlink()
    with pytest.raises(DataError, match=r"only 1 of the 3 annotated images is there \(first missing: 'b\.jpg'\)"):
        opened(format="coco-json")


@pytest.mark.parametrize("damage", [{"annotations": [None]}, {"images": [{"id": 1, "height": 9, "width": 9}]}])
def test_entries_that_are_none_are_one_line(tmp_path, opened, damage):
    cvat(tmp_path, [annotation(1, 1, 4, [POLYGON])], names=("a",))
    (path,) = tmp_path.glob("annotations/*.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **damage}))
    with pytest.raises(DataError, match=r"instances_default\.json: not a COCO JSON \("):
        opened(format="coco-json")


@pytest.mark.parametrize("name", [None, 7])
def test_a_file_name_is_text(tmp_path, opened, name):
    cvat(tmp_path, [annotation(1, 1, 4, [POLYGON])], names=("a",))
    (path,) = tmp_path.glob("annotations/*.json")
    content = json.loads(path.read_text())
    content["images"][0]["file_name"] = name
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"file_name .* of image 1 is not text"):
        opened(format="coco-json")
