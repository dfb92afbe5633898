"""Mask values become class indices, or are rejected by name."""

import numpy as np
import pytest

from auxseg.datasets.manifest import ClassTable
from auxseg.datasets.masks import read_mask
from auxseg.encoded import encode_label
from auxseg.errors import DataError

CLASSES = ClassTable(("dog", "cat"), (12, 8))


@pytest.fixture
def mask_of(tmp_path):
    def write(*values):
        (tmp_path / "m.png").write_bytes(encode_label(np.array([values], np.uint8)))
        return tmp_path / "m.png"

    return write


@pytest.mark.parametrize("unlisted", ["error", "ignore", "background"])
def test_indices_follow_the_order_of_the_table(mask_of, unlisted):
    read = read_mask(mask_of(0, 8, 12, 255), CLASSES, unlisted)
    assert read.dtype == np.uint8
    assert read.tolist() == [[0, 2, 1, 255]]


@pytest.mark.parametrize(("unlisted", "expected"), [("ignore", 255), ("background", 0)])
def test_unlisted_values(mask_of, unlisted, expected):
    assert read_mask(mask_of(15, 1, 12), CLASSES, unlisted).tolist() == [[expected, expected, 1]]


def test_unlisted_value_is_rejected_by_name(mask_of):
    with pytest.raises(DataError, match=r"m\.png: mask values 1, 15 are not in the class table .0, 12 dog, 8 cat, 255"):
        read_mask(mask_of(15, 1, 12), CLASSES, "error")


def test_long_class_tables_are_shortened(mask_of):
    classes = ClassTable(tuple(f"c{i}" for i in range(1, 21)), tuple(range(1, 21)))
    with pytest.raises(DataError, match="0, 1 c1, 2 c2, 3 c3, …, 20 c20, 255"):
        read_mask(mask_of(21), classes, "error")
