"""The difference of two states of the labels, against counting pixel by pixel."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from auxseg.artifacts.archive import write_archive
from auxseg.comparison.diff import FIGURES, compare, diff_labels, image_rows, summary_rows
from auxseg.comparison.label_set import LabelSet
from auxseg.encoded import encode_label

VALUES = st.sampled_from([0, 1, 2, 255])
SHAPE = (4, 5)
LABELS = arrays(np.uint8, SHAPE, elements=VALUES)


def counted(before, after):
    """The definition, pixel by pixel."""
    figures = {name: Counter() for name in FIGURES}
    for old, new in zip(before.reshape(-1).tolist(), after.reshape(-1).tolist(), strict=True):
        figures["before"][old] += 1
        figures["after"][new] += 1
        if old == new:
            continue
        if old == 255:
            figures["added"][new] += 1
        elif new == 255:
            figures["removed"][old] += 1
        else:
            figures["changed_from"][old] += 1
            figures["changed_to"][new] += 1
    return [[figures[name][index] for index in range(3)] for name in FIGURES]


@given(LABELS, LABELS)
def test_against_counting_pixel_by_pixel(before, after):
    figures = compare(before, after, 3)
    assert figures.tolist() == counted(before, after)
    old, new, added, removed, left, came = figures
    assert (old + added + came - removed - left == new).all()
    assert left.sum() == came.sum()


@given(LABELS, LABELS)
def test_backwards_is_the_other_way_round(before, after):
    order = [FIGURES.index(name) for name in ("after", "before", "removed", "added", "changed_to", "changed_from")]
    assert (compare(after, before, 3) == compare(before, after, 3)[order]).all()


@given(LABELS)
def test_the_same_label_differs_nowhere(label):
    assert not compare(label, label, 3)[2:].any()


def pack(folder, labels, classes=("background", "cat", "dog"), shards=1):
    """Write labels (id -> array) as archives."""
    files = [folder / f"{shard:02d}.zip" for shard in range(shards)]
    for number, path in enumerate(files):
        mine = sorted(labels)[number::shards]
        write_archive(path, {f"{name}.png": encode_label(labels[name]) for name in mine})
    return LabelSet.of(classes, files)


@pytest.fixture
def states(tmp_path):
    full = lambda value, shape=SHAPE: np.full(shape, value, np.uint8)  # noqa: E731
    half = full(1)
    half[:2] = 255
    before = pack(tmp_path / "before", {"a": full(1), "b": full(2), "gone": full(0), "small": full(1)})
    after = pack(tmp_path / "after", {"a": half, "b": full(2), "new": full(2), "small": full(1, (2, 2))}, shards=2)
    return before, after


def test_images_that_one_state_lacks_count_as_unlabelled(states):
    names, diffs = diff_labels(*states)
    rows = {(row.pop("image_id"), row.pop("class")): row for row in image_rows(names, diffs)}
    figures = {key: (row["state"], *(row[name] for name in FIGURES)) for key, row in rows.items()}
    assert figures == {
        ("a", "cat"): ("both", 20, 10, 0, 10, 0, 0),
        ("b", "dog"): ("both", 20, 20, 0, 0, 0, 0),
        ("gone", "background"): ("before", 20, 0, 0, 20, 0, 0),
        ("new", "dog"): ("after", 0, 20, 20, 0, 0, 0),
        ("small", "cat"): ("resized", 20, 4, 4, 20, 0, 0),
    }
    assert [(diff.image_id, diff.differing) for diff in diffs] == [
        ("a", 10),
        ("b", 0),
        ("gone", 20),
        ("new", 20),
        ("small", 24),
    ]


def test_summary(states):
    names, diffs = diff_labels(*states)
    rows = [tuple(row.values()) for row in summary_rows(names, diffs)]
    assert rows == [
        ("background", 1, 20, 0, 0, 20, 0, 0),
        ("cat", 2, 40, 14, 4, 30, 0, 0),
        ("dog", 1, 20, 40, 20, 0, 0, 0),
        ("all", 4, 80, 54, 24, 50, 0, 0),
    ]


def test_classes_are_compared_by_name(tmp_path):
    label = np.array([[1, 2], [0, 255]], np.uint8)
    before = pack(tmp_path / "before", {"a": label}, ("background", "cat", "dog"))
    after = pack(tmp_path / "after", {"a": label}, ("background", "dog", "fox"))
    names, diffs = diff_labels(before, after)
    assert names == ("background", "cat", "dog", "fox")
    found = {row["class"]: (row["changed_from"], row["changed_to"]) for row in summary_rows(names, diffs)}
    assert found == {"background": (0, 0), "cat": (1, 0), "dog": (1, 1), "fox": (0, 1), "all": (2, 2)}


def test_nothing_to_compare(tmp_path):
    empty = LabelSet(("background", "cat"), {})
    names, diffs = diff_labels(empty, empty)
    assert diffs == [] and summary_rows(names, diffs)[-1]["images"] == 0
