"""COCO in its own layout, but small: masks, labels, lists, and the 80 classes against the paper's 91."""

import json

import numpy as np
import pytest
from builders import photo
from PIL import Image

from auxseg.cli.main import main
from auxseg.datasets import coco
from auxseg.datasets.coco import COCO_IDS, CocoImage, convert, semantic_mask
from auxseg.datasets.id_lists import IdList, list_sha256
from auxseg.datasets.manifest import read_classes, read_manifest, read_mask_list
from auxseg.datasets.prepare import prepare
from auxseg.errors import DataError
from auxseg.params.data import COCO_CLASSES, DataParams

PAPER = """person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant street_sign stop_sign
parking_meter bench bird cat dog horse sheep cow elephant bear zebra giraffe hat backpack umbrella shoe eye_glasses
handbag tie suitcase frisbee skis snowboard sports_ball kite baseball_bat baseball_glove skateboard surfboard
tennis_racket bottle plate wine_glass cup fork knife spoon bowl banana apple sandwich orange broccoli carrot hot_dog
pizza donut cake chair couch potted_plant bed mirror dining_table window desk toilet door tv laptop mouse remote
keyboard cell_phone microwave oven toaster sink refrigerator blender book clock vase scissors teddy_bear hair_drier
toothbrush hair_brush"""
"""The 91 classes in the order of their ids, as nightrome/cocostuff's labels.txt lists them."""

NEVER_ANNOTATED = {
    "street_sign",
    "hat",
    "shoe",
    "eye_glasses",
    "plate",
    "mirror",
    "window",
    "desk",
    "door",
    "blender",
    "hair_brush",
}


def test_80_against_91():
    paper = dict(enumerate(PAPER.split(), 1))
    assert len(paper) == 91
    kept = {number: name.replace("_", " ") for number, name in paper.items() if name not in NEVER_ANNOTATED}
    assert kept == dict(zip(COCO_IDS, COCO_CLASSES, strict=True))
    by_hand = {1: 1, 11: 11, 13: 12, 25: 24, 27: 25, 44: 40, 46: 41, 65: 60, 67: 61, 70: 62, 72: 63, 90: 80}
    assert {number: COCO_IDS.index(number) + 1 for number in by_hand} == by_hand


def rectangle(left, top, right, bottom):
    return [[left, top, right, top, right, bottom, left, bottom]]


def annotation(number, category, segmentation, crowd=0, image=1):
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "iscrowd": crowd,
        "segmentation": segmentation,
        "area": 1.0,
        "bbox": [0, 0, 1, 1],
    }


def mask_of(*annotations, height=6, width=8):
    return semantic_mask(CocoImage("a.jpg", height, width, annotations))


def test_polygons_small_on_top_whatever_the_order():
    large, small = annotation(1, 18, rectangle(1, 1, 7, 5)), annotation(2, 90, rectangle(2, 2, 4, 4))
    expected = np.zeros((6, 8), np.uint8)
    expected[1:5, 1:7] = 17  # dog
    expected[2:4, 2:4] = 80  # toothbrush
    assert mask_of(large, small).tolist() == expected.tolist() == mask_of(small, large).tolist()


def test_rle_of_both_kinds_runs_down_the_columns():
    from pycocotools import mask as coco_mask

    region = np.zeros((6, 8), np.uint8)
    region[2:5, 3] = 1
    counts = [3 * 6 + 2, 3, 48 - 23]
    plain = {"size": [6, 8], "counts": counts}
    packed = coco_mask.encode(np.asfortranarray(region))
    text = {"size": [6, 8], "counts": packed["counts"].decode()}
    for shape in (plain, text):
        assert mask_of(annotation(1, 1, shape)).tolist() == region.tolist()


def test_crowds_are_ignored_but_objects_in_them_are_not():
    crowd = annotation(1, 1, {"size": [6, 8], "counts": [0, 48]}, crowd=1)
    inside = annotation(2, 3, rectangle(0, 0, 2, 2))
    found = mask_of(crowd, inside)
    assert (found[:2, :2] == 3).all() and (np.delete(found.ravel(), [0, 1, 8, 9]) == 255).all()
    assert mask_of(inside, crowd).tolist() == found.tolist()


def test_several_parts_and_parts_of_two_points():
    parts = [*rectangle(0, 0, 2, 2), [5.0, 5.0, 6.0, 6.0], *rectangle(5, 3, 8, 6)]
    found = mask_of(annotation(1, 1, parts))
    assert found.sum() == 4 + 9 and found[5, 7] == 1
    assert not mask_of(annotation(1, 1, [[5.0, 5.0, 6.0, 6.0]])).any()


def test_masks_that_are_none():
    with pytest.raises(DataError, match=r"a\.jpg: annotation 7 has size \(3, 3\), the image \(6, 8\)"):
        mask_of(annotation(7, 1, {"size": [3, 3], "counts": "09"}))
    for shape in ({"size": [3, 3]}, {"counts": [1, 2]}):
        with pytest.raises(DataError, match=r"a\.jpg: annotation 7 is not a polygon or RLE"):
            mask_of(annotation(7, 1, shape))


@pytest.fixture
def source(tmp_path):
    """Train: two annotated images and one that is not; val: one of each."""
    source = tmp_path / "coco/source"
    categories = [{"id": number, "name": name} for number, name in zip(COCO_IDS, COCO_CLASSES, strict=True)]
    annotations = {
        "train": [
            annotation(1, 1, rectangle(0, 0, 3, 3)),
            annotation(2, 13, rectangle(3, 0, 6, 4)),
            annotation(3, 44, {"size": [4, 6], "counts": [0, 24]}, crowd=1, image=2),
        ],
        "val": [annotation(4, 90, rectangle(0, 0, 6, 4))],
    }
    for name, count in (("train", 3), ("val", 2)):
        images = []
        for number in range(1, count + 1):
            file = f"COCO_{name}2014_{number:012d}.jpg"
            photo(source / f"{name}2014" / file)
            images.append({"id": number, "file_name": file, "height": 4, "width": 6})
        path = source / f"annotations/instances_{name}2014.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"images": images, "annotations": annotations[name], "categories": categories}))
    return source


IDS = {
    "train": ["COCO_train2014_000000000001", "COCO_train2014_000000000002"],
    "val": ["COCO_val2014_000000000001", "COCO_val2014_000000000002"],
}
PUBLISHED = {name: IdList(2, list_sha256(ids)) for name, ids in IDS.items()}


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setattr("auxseg.parallel.available_cpus", lambda: 1)


def test_from_the_json_to_the_manifest(source, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(coco.convert, "__defaults__", (PUBLISHED,))
    assert main(["download", "coco", "--to", str(source.parent)]) == 0
    out = capsys.readouterr().out
    assert "train           2 ids, as published; 1 without annotation: left out" in out
    assert "val             2 ids, as published; 1 without annotation: kept, all background" in out
    root = source.parent / "COCO2014"
    monkeypatch.setenv("AUXSEG_DATA", str(root))
    outputs = tmp_path / "manifest", tmp_path / "masks", tmp_path / "wrong.json"
    prepare(DataParams.parse({"format": "coco"}), ["00"], *outputs)
    records = {record.id: (record.split, record.tags) for record in read_manifest(tmp_path / "manifest")}
    assert records == {
        IDS["train"][0]: ("train", ("person", "stop sign")),
        IDS["train"][1]: ("train", ("bottle",)),  # a crowd of bottles shows bottles
        IDS["val"][0]: ("val", ("toothbrush",)),
        IDS["val"][1]: ("val", ()),
    }
    assert read_classes(tmp_path / "manifest/classes.csv").names == COCO_CLASSES
    masks = read_mask_list([tmp_path / "masks/00.csv"])
    values = {key: np.unique(np.asarray(Image.open(root / path))).tolist() for key, path in masks.items()}
    assert values == {IDS["train"][0]: [0, 1, 12], IDS["train"][1]: [255], IDS["val"][0]: [80], IDS["val"][1]: [0]}
    assert convert(source, root, PUBLISHED)["train"].ids == tuple(IDS["train"])  # again, over itself


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["categories"].pop(), r"its categories are not COCO's 80"),
        (
            lambda content: content["annotations"][0].update(category_id=12),
            r"not an instances JSON of COCO \(KeyError: 12\)",
        ),
        (lambda content: content["annotations"][0].pop("segmentation"), r"\(KeyError: 'segmentation'\)"),
        (lambda content: content.pop("images"), r"not an instances JSON of COCO"),
        (lambda content: content["annotations"].pop(), r"1 id, but the published train has 2"),
    ],
)
def test_rejections(source, tmp_path, change, message):
    path = source / "annotations/instances_train2014.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=message):
        convert(source, tmp_path / "out", PUBLISHED)
    assert not (tmp_path / "out/ImageSets").exists()


def test_links_to_a_source_that_was_moved_are_made_again(source, tmp_path):
    name = f"{IDS['train'][0]}.jpg"
    (tmp_path / "out/JPEGImages").mkdir(parents=True)
    (tmp_path / "out/JPEGImages" / name).symlink_to(tmp_path / "moved" / name)
    convert(source, tmp_path / "out", PUBLISHED)
    assert (tmp_path / "out/JPEGImages" / name).read_bytes() == (source / "train2014" / name).read_bytes()


def test_missing_files(source, tmp_path):
    (source / "train2014" / f"{IDS['train'][0]}.jpg").unlink()
    with pytest.raises(DataError, match=r"000000000001\.jpg: no such image"):
        convert(source, tmp_path / "out", PUBLISHED)
    (source / "annotations/instances_train2014.json").unlink()
    with pytest.raises(DataError, match=r"instances_train2014\.json: no such file"):
        convert(source, tmp_path / "out", PUBLISHED)
