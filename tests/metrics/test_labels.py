"""Areas, components and the table of classes, against counting by hand and with SciPy."""

from dataclasses import astuple

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from auxseg.artifacts.frames import write_frame
from auxseg.metrics.confusion import confuse, no_confusion
from auxseg.metrics.label_tables import class_table, image_table, read_areas
from auxseg.metrics.labels import AREA_COLUMNS, changed_share, ignored_share, measure_label, write_areas

NAMES = ("background", "cat", "dog")
LABELS = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.sampled_from([0, 1, 2, 255]))

FIRST = np.array([[1, 0, 1], [0, 1, 255], [2, 2, 255]], np.uint8)
SECOND = np.array([[0, 255]], np.uint8)


@given(LABELS)
def test_areas_against_scipy(label):
    areas = measure_label("a", label)
    assert [area.index for area in areas] == sorted(set(label.reshape(-1).tolist()))
    assert sum(area.pixels for area in areas) == label.size
    for area in areas:
        assert area.pixels == (label == area.index).sum()
        assert area.components == ndimage.label(label == area.index, structure=np.ones((3, 3)))[1]


def frame(areas):
    return pandas.DataFrame([astuple(area) for area in areas], columns=list(AREA_COLUMNS))


def rows_of(table):
    """Return the rows as dictionaries, with None for NaN."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def test_shares_by_hand():
    assert ignored_share(FIRST) == pytest.approx(2 / 9)
    assert ignored_share(np.array([[0, 1]], np.uint8)) == 0.0
    before = np.array([[0, 1, 255, 2]], np.uint8)
    assert changed_share(before, np.array([[0, 1, 255, 255]], np.uint8)) == 0.25
    assert changed_share(before, before) == 0.0


def test_areas_file(tmp_path):
    first, second = measure_label("a", FIRST), measure_label("b", SECOND)
    write_areas(tmp_path / "00.csv", first)
    write_areas(tmp_path / "01.csv", second)
    assert (tmp_path / "01.csv").read_text() == "image_id,class,pixels,components\nb,0,1,1\nb,255,1,1\n"
    read = read_areas([tmp_path / "00.csv", tmp_path / "01.csv"])
    pandas.testing.assert_frame_equal(read, frame(first + second))


def table(confusion):
    areas = frame(measure_label("a", FIRST) + measure_label("b", SECOND))
    return rows_of(class_table("r1", areas, {"a": ("cat", "dog"), "b": ("dog",)}, confusion, NAMES, 2))


def test_table_of_classes_without_masks_by_hand():
    background, cat, dog, whole = table(no_confusion(2))
    # 11 pixels: background 2 + 1, cat 3 (one diagonal component), dog 2, ignored 2 + 1
    assert {row["round"] for row in (background, cat, dog, whole)} == {"r1"}
    assert (background["images"], background["pixels"], background["components"]) == (2, 3, 1.0)
    assert (cat["images"], cat["pixels"], cat["components"]) == (1, 3, 1.0)
    assert (dog["images"], dog["pixels"]) == (1, 2)
    assert (whole["class"], whole["images"], whole["pixels"], whole["components"]) == ("all", 2, 8, 2.0)
    assert cat["share"] == pytest.approx(300 / 11)
    # ignored: in all images, in those tagged cat (a alone), in those tagged dog (both)
    assert [row["ignore_share"] for row in (background, cat, dog, whole)] == pytest.approx(
        [300 / 11, 200 / 9, 300 / 11, 300 / 11]
    )
    assert {row[name] for row in (background, cat, dog, whole) for name in ("precision", "recall", "iou")} == {None}


def test_scores_with_masks_by_hand():
    mask = np.array([[1, 1, 1], [0, 0, 1], [2, 0, 255]], np.uint8)
    background, cat, dog, whole = table(confuse(FIRST, mask, 2))
    # cat: 2 of 3 predicted are right, 2 of 4 found; dog 1 of 2, 1 of 1; background 1 of 2, 1 of 3
    assert [cat[name] for name in ("precision", "recall", "iou")] == pytest.approx([200 / 3, 50, 40])
    assert [dog[name] for name in ("precision", "recall", "iou")] == pytest.approx([50, 100, 50])
    assert [background[name] for name in ("precision", "recall", "iou")] == pytest.approx([50, 100 / 3, 25])
    assert whole["iou"] == pytest.approx((40 + 50 + 25) / 3)


def test_a_class_that_no_label_has(tmp_path):
    table = class_table("r0", frame(measure_label("b", SECOND)), {"b": ()}, no_confusion(2), NAMES, 0)
    row = rows_of(table)[1]
    assert (row["images"], row["pixels"], row["share"], row["components"]) == (0, 0, 0.0, None)
    assert row["ignore_share"] is None
    write_frame(tmp_path / "table.csv", table)
    assert (tmp_path / "table.csv").read_text().splitlines()[2] == "r0,cat,0,0,0,,,0,,,"


def test_table_of_images():
    rows = rows_of(image_table("r0", frame(measure_label("b", SECOND) + measure_label("a", SECOND)), NAMES))
    assert [(row["image_id"], row["class"], row["pixels"]) for row in rows] == [
        ("a", "background", 1),
        ("a", "ignore", 1),
        ("b", "background", 1),
        ("b", "ignore", 1),
    ]
