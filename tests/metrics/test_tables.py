"""Counts in CSV files."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from auxseg.metrics.segmentation import Counts
from auxseg.metrics.tables import read_counts, write_counts


def counts(*values, images=1):
    return Counts(*(np.array(value, np.int64) for value in values), images)


def listed(value):
    return [value.correct.tolist(), value.predicted.tolist(), value.true.tolist(), value.images]


def test_file_by_hand(tmp_path):
    path = tmp_path / "counts.csv"
    write_counts(
        path, {"model": counts([1, 2], [3, 4], [5, 6]), "model+ms": counts([7, 8], [9, 10], [11, 12], images=14)}
    )
    assert path.read_text() == (
        "kind,class,correct,predicted,true,images\n"
        "model,0,1,3,5,1\nmodel,1,2,4,6,1\nmodel+ms,0,7,9,11,14\nmodel+ms,1,8,10,12,14\n"
    )


@given(st.lists(st.lists(st.integers(0, 2**60), min_size=9, max_size=9), min_size=1, max_size=3))
def test_round_trip(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("counts") / "counts.csv"
    written = {f"kind {i}": counts(row[:3], row[3:6], row[6:]) for i, row in enumerate(numbers)}
    write_counts(path, written)
    read = read_counts([path], classes=2)
    assert list(read) == list(written)
    assert {kind: listed(value) for kind, value in read.items()} == {k: listed(v) for k, v in written.items()}


def test_several_files_are_pooled(tmp_path):
    first, second, empty = (tmp_path / f"{name}.csv" for name in ("00", "01", "02"))
    write_counts(first, {"labels": counts([1, 2], [3, 4], [5, 6], images=4)})
    write_counts(
        second, {"cam": counts([1, 1], [1, 1], [1, 1]), "labels": counts([10, 20], [30, 40], [50, 60], images=3)}
    )
    write_counts(empty, {})
    read = read_counts([first, second, empty], classes=1)
    assert list(read) == ["labels", "cam"]
    assert listed(read["labels"]) == [[11, 22], [33, 44], [55, 66], 7]
    assert empty.read_text() == "kind,class,correct,predicted,true,images\n"
    assert read_counts([empty], classes=1) == {}
