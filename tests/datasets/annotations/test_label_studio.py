"""Exports of Label Studio: JSON, JSON-MIN, and brush PNGs beside them."""

import numpy as np
import pytest
from exports import SIZE, write_json, write_photo
from PIL import Image

from auxseg.datasets.annotations.draw_label_studio import decode_rle
from auxseg.datasets.annotations.recognise import recognise
from auxseg.errors import DataError
from auxseg.params.data import DataParams

RLE = bytes.fromhex(
    "00000960391bff027f00c4fff93c0313ffe4f009ffe300c37ff93c0313ffe4f0"
    "0c4fff93c0313ffe4f00c4fff93c0313ffe4f00c4fff93c0313fff027f0000"
)
"""What label_studio_converter.brush.encode_rle makes of SQUARE with a hole at row 7, column 12, in four channels."""


def square(value=1):
    mask = np.zeros(SIZE, np.uint8)
    mask[5:15, 10:20] = value
    return mask


def brushed(value=1):
    mask = square(value)
    mask[7, 12] = 0
    return mask


def region(kind, label, control="label", **value):
    size = {"original_width": SIZE[1], "original_height": SIZE[0], "image_rotation": 0}
    names = {"from_name": control, "to_name": "image", "id": "Zq", "origin": "manual"}
    return {**size, **names, "type": kind, "value": {kind: [label], **value}}


def polygon(label):
    # in per cent of width and height; Label Studio's points lie between pixels
    corners = [[10, 5], [20, 5], [20, 15], [10, 15]]
    points = [[100 * x / SIZE[1], 100 * y / SIZE[0]] for x, y in corners]
    return region("polygonlabels", label, points=points, closed=True)


def brush(label):
    return region("brushlabels", label, format="rle", rle=list(RLE))


def task(number, name, *results, **annotation):
    entry = {"id": 10 + number, "completed_by": 1, "was_cancelled": False, "ground_truth": False, **annotation}
    upload = {"file_upload": f"0a1b2c3d-{name}.jpg", "data": {"image": f"/data/upload/4/0a1b2c3d-{name}.jpg"}}
    return {"id": number, "annotations": [{**entry, "result": list(results)}], "predictions": [], **upload}


def export(root, *tasks, name="project-4-at-2026-01-05-10-00-aa.json"):
    for key in ("a", "b", "c"):
        write_photo(root / f"images/{key}.jpg")
    write_json(root / name, list(tasks))


def test_brush_rle_as_the_tools_own_encoder_writes_it():
    assert np.array_equal(decode_rle(RLE).reshape(*SIZE, 4)[..., 3], brushed(255))
    with pytest.raises(ValueError, match="ends too early"):
        decode_rle(RLE[:40])


def test_polygons_brushes_and_choices(tmp_path, opened):
    export(
        tmp_path,
        task(1, "a", polygon("dog")),
        task(2, "b", brush("cat"), region("choices", "dog", choices=["dog"])),
        task(3, "c", region("choices", "cat")),
    )
    data = opened(format="label-studio", folder={"val_share": 0.0})
    data.check()
    assert data.names == ("cat", "dog")
    assert data.tags == {"a": ("dog",), "b": ("cat", "dog"), "c": ("cat",)}
    assert np.array_equal(data.mask("a"), square(2))
    assert np.array_equal(data.mask("b"), brushed(1))
    assert data.found.images[2].mask is None
    assert data.found.notes == ("1 task has choices or no region, so there is no mask of the image",)


def test_rectangles_and_ellipses(tmp_path, opened):
    box = {"x": 100 * 10 / 30, "y": 25, "width": 30, "height": 45, "rotation": 0}
    turned = {**box, "x": 100 * 20 / 30, "width": 100 * 10 / 30, "height": 100 * 5 / 20, "rotation": 90}
    export(
        tmp_path,
        task(1, "a", region("rectanglelabels", "cat", **box)),
        task(2, "b", region("ellipselabels", "cat", x=50, y=50, radiusX=20, radiusY=30, rotation=0)),
        task(3, "c", region("rectanglelabels", "cat", **turned)),
    )
    data = opened(format="label-studio", folder={"val_share": 0.0})
    assert np.array_equal(np.argwhere(data.mask("a")).min(0), [5, 10])
    assert np.array_equal(np.argwhere(data.mask("a")).max(0), [14, 19])
    # half axes of 6 and 6 pixels around (15, 10)
    assert abs(int(data.mask("b").sum()) - np.pi * 36) < 4
    # 10 wide and 5 high, turned around its first corner (20, 5): 5 to the left and 10 down
    turned = np.argwhere(data.mask("c"))
    assert (turned.min(0).tolist(), turned.max(0).tolist()) == ([5, 15], [15, 20])


def test_skipped_and_open_tasks_are_left_out(tmp_path, opened):
    unseen = {**task(3, "c"), "annotations": []}
    export(tmp_path, task(1, "a", polygon("dog")), task(2, "b", polygon("dog"), was_cancelled=True), unseen)
    assert opened(format="label-studio").tags == {"a": ("dog",)}
    export(tmp_path, unseen)
    with pytest.raises(DataError, match="no image is annotated"):
        opened(format="label-studio")


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ([("cat", False), ("dog", False)], "dog"),
        ([("cat", False), (None, False)], "cat"),
        ([("cat", True), ("dog", False)], "cat"),
    ],
)
def test_of_several_annotations_the_truth_or_the_last_counts(tmp_path, opened, annotations, expected):
    entries = [{"result": [polygon(name)] if name else [], "ground_truth": truth} for name, truth in annotations]
    export(tmp_path, {**task(1, "a"), "annotations": entries})
    data = opened(format="label-studio", folder={"val_share": 0.0})
    assert data.tags == {"a": (expected,)}
    assert any("1 task has several annotations; one is used" in note for note in data.found.notes)


def test_regions_on_a_rotated_image_are_counted(tmp_path, opened):
    export(tmp_path, task(1, "a", {**polygon("cat"), "image_rotation": 90}, polygon("cat")))
    (note,) = opened(format="label-studio", folder={"val_share": 0.0}).found.notes[-1:]
    assert note.startswith("1 region was drawn on an image that Label Studio showed rotated (image_rotation), which is")


@pytest.mark.parametrize("bare", ["brush", "brushlabels"])
def test_regions_without_a_label_are_counted(tmp_path, opened, bare):
    drawn = brush("dog")
    del drawn["value"]["brushlabels"]
    export(tmp_path, task(1, "a", polygon("cat"), {**drawn, "type": bare}))
    data = opened(format="label-studio", folder={"val_share": 0.0})
    assert data.tags == {"a": ("cat",)}
    assert "1 region has no label and is not used" in data.found.notes


def test_an_upload_may_have_kept_its_prefix(tmp_path, opened):
    export(tmp_path, task(1, "a", polygon("dog")))
    (tmp_path / "images/a.jpg").rename(tmp_path / "images/0a1b2c3d-a.jpg")
    assert opened(format="label-studio", folder={"val_share": 0.0}).tags == {"0a1b2c3d-a": ("dog",)}


def test_json_min(tmp_path, opened):
    shape = polygon("dog")
    minimal = {**shape["value"], "original_width": SIZE[1], "original_height": SIZE[0]}
    common = {"annotator": 1, "annotation_id": 11, "lead_time": 3.2}
    export(
        tmp_path,
        {"image": "/data/local-files/?d=images/a.jpg", "id": 1, "label": [minimal], **common},
        {"image": "s3://bucket/images/b.jpg", "id": 2, "choice": "cat", **common},
        {"image": "https://host/c.jpg?token=1", "id": 3, "choice": {"choices": ["cat", "dog"]}, **common},
    )
    data = opened(format="label-studio", folder={"val_share": 0.0})
    assert data.tags == {"a": ("dog",), "b": ("cat",), "c": ("cat", "dog")}
    assert np.array_equal(data.mask("a"), square(2))


def test_a_choice_under_another_name_is_no_image_without_objects(tmp_path, opened):
    """JSON-MIN writes a single choice as plain text under its control's name, like any other text of the task."""
    export(tmp_path, {"image": "images/a.jpg", "id": 4, "animal": "cat", "annotator": 1, "annotation_id": 11})
    with pytest.raises(DataError, match=r"task 4: 'animal' may be a choice or not; .*export it again"):
        opened(format="label-studio", folder={"val_share": 0.0})


def test_an_address_that_is_none_is_named(tmp_path, opened):
    export(tmp_path, {**task(1, "a", polygon("dog")), "data": {"image": "http://[x/a.jpg"}})
    with pytest.raises(DataError, match=r"http://\[x/a\.jpg: not the address of an image"):
        opened(format="label-studio", folder={"val_share": 0.0})


def test_brush_pngs_beside_the_json(tmp_path, opened):
    bare = {**task(7, "a"), "annotations": []}
    export(tmp_path, bare, task(8, "b", polygon("traffic-light")))
    for name, layer in {"tag-cat-0": brushed(255), "tag-traffic-light-0": np.roll(square(255), 5, 0)}.items():
        path = tmp_path / f"png/task-7-annotation-17-by-me@x.org-{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(layer).save(path)
    data = opened(format="label-studio", folder={"val_share": 0.0})
    assert data.tags == {"a": ("cat", "traffic-light"), "b": ("traffic-light",)}
    expected = brushed(1)
    expected[np.roll(square(), 5, 0) > 0] = 2
    assert np.array_equal(data.mask("a"), expected)


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ([region("brushlabels", "cat", format="rle", rle=[0, 0, 9])], r"task 1 region 1 \(brushlabels\): the RLE ends"),
        (
            [region("polygonlabels", "cat", points=[[1, 1]])],
            r"region 1 \(polygonlabels\): 1 point does not make",
        ),
    ],
)
def test_damaged_regions_are_rejected(tmp_path, opened, results, message):
    export(tmp_path, task(1, "a", *results))
    with pytest.raises(DataError, match=message):
        opened(format="label-studio").check()


def test_it_is_recognised(tmp_path):
    export(tmp_path, task(1, "a", polygon("dog")), name="export.json")
    assert recognise(tmp_path, DataParams.parse({"format": "folder"})) == ("label-studio", "export.json")


def test_a_choice_about_a_region_is_not_a_label_of_the_image(tmp_path, opened):
    occluded = {**polygon("cat"), "type": "choices", "from_name": "how"}
    occluded["value"] = {**occluded["value"], "choices": ["occluded"]}
    export(tmp_path, task(1, "a", polygon("cat"), occluded))
    data = opened(format="label-studio")
    assert data.tags == {"a": ("cat",)}
    assert "1 choice belongs to a region, so it is not used as a label of the image" in "".join(data.found.notes)


def test_a_task_without_an_image_file_is_named_with_what_to_do(tmp_path, opened):
    entry = task(7, "a", polygon("cat"))
    export(tmp_path, {**entry, "data": {"image": "https://example.org/photos/1"}})
    with pytest.raises(DataError, match=r"json: task 7 names no image file .*; put the file's name or address into"):
        opened(format="label-studio")


def test_what_macos_leaves_beside_an_annotation_is_not_read(tmp_path, opened):
    (tmp_path / "annotations").mkdir()
    export(tmp_path, task(1, "a", polygon("cat")), name="annotations/export.json")
    (tmp_path / "annotations/._export.json").write_bytes(b"\0\5\x16\7")
    assert opened(format="label-studio", annotations="annotations").tags == {"a": ("cat",)}


def test_masks_of_brushes_beside_the_images_are_no_images(tmp_path, opened):
    export(tmp_path, *(task(number, name, polygon("cat")) for number, name in enumerate("abc", 1)))
    write_photo(tmp_path / "images/task-9-annotation-3-by-me-tag-cat-0.png")
    assert opened(format="label-studio").found.without_row == ()
