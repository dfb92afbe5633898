"""Confusion of label and mask, against a loop over pixels and against the counts that the scores are made of."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from auxseg.metrics.confusion import (
    confuse,
    confusion_rows,
    counts_of,
    no_confusion,
    read_confusion,
    write_confusion,
)
from auxseg.metrics.segmentation import Counts

LABELS = arrays(np.uint8, (4, 6), elements=st.sampled_from([0, 1, 2, 255]))


@given(LABELS, LABELS)
def test_against_a_loop_and_against_the_counts(label, mask):
    expected = no_confusion(2)
    for row, column in zip(mask.reshape(-1).tolist(), label.reshape(-1).tolist(), strict=True):
        if row != 255:
            expected[row, 3 if column == 255 else column] += 1
    found = confuse(label, mask, 2)
    assert (found == expected).all()
    counts, reference = counts_of(found), Counts.of(label, mask, 2)
    for name in ("correct", "predicted", "true"):
        assert (getattr(counts, name) == getattr(reference, name)).all()


@given(LABELS, LABELS)
def test_files_are_pooled(tmp_path_factory, label, mask):
    folder = tmp_path_factory.mktemp("confusion")
    one = confuse(label, mask, 2)
    write_confusion(folder / "00.csv", one)
    write_confusion(folder / "01.csv", one)
    write_confusion(folder / "02.csv", no_confusion(2))
    assert (read_confusion(sorted(folder.iterdir()), 2) == 2 * one).all()


def test_rows_by_hand():
    confusion = np.array([[6, 0, 2], [0, 0, 0]])
    rows = confusion_rows("r1", confusion, ("background", "cat"))
    assert {tuple(row) for row in rows} == {("round", "mask", "label", "pixels", "share")}
    assert [tuple(row.values()) for row in rows] == [
        ("r1", "background", "background", 6, 75.0),
        ("r1", "background", "cat", 0, 0.0),
        ("r1", "background", "ignore", 2, 25.0),
    ]
    assert confusion_rows("r1", no_confusion(1), ("background", "cat")) == []
