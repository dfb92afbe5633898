"""A struct's matrix in a MATLAB file, against what scipy writes and reads; damage."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.io import loadmat, savemat

from auxseg.datasets.mat_file import read_matrix


def saved(value: np.ndarray, name: str = "GTcls", field: str = "Segmentation", compressed: bool = True) -> bytes:
    """Return a file as SBD's are: a struct of a cell array, the mask and a list of numbers, after another variable."""
    struct = np.zeros((1,), [("Boundaries", object), (field, object), ("CategoriesPresent", object)])
    struct[0] = (np.array([[np.eye(2)], [np.zeros((0, 0))]], object), value, np.array([3.0, 15.0]))
    stream = io.BytesIO()
    savemat(stream, {"first": np.arange(3), name: struct}, do_compression=compressed)
    return stream.getvalue()


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))), st.booleans())
def test_what_scipy_writes_and_reads(value, compressed):
    content = saved(value, compressed=compressed)
    found = read_matrix(content, "GTcls", "Segmentation")
    assert found.dtype == np.uint8 and (found == value).all()
    assert (found == loadmat(io.BytesIO(content))["GTcls"][0]["Segmentation"][0]).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a MATLAB file of version 5"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 600, "not a MATLAB file of version 5"),
        (saved(np.ones((2, 2), np.uint8), name="other"), "no 'GTcls' in it"),
        (saved(np.ones((2, 2), np.uint8), field="mask"), "no 'Segmentation' in it"),
        (saved(np.ones((2, 2))), "it is not a matrix of uint8"),
        (saved(np.ones((2, 2, 2), np.uint8)), "it is not a matrix of uint8"),
        (saved(np.ones((2, 2), np.uint8))[:-20], "reaches beyond its end|cut off"),
    ],
    ids=["nothing", "version 7.3", "another struct", "another field", "floats", "three dimensions", "cut off"],
)
def test_other_files_are_called_what_they_are(content, message):
    with pytest.raises(ValueError, match=message):
        read_matrix(content, "GTcls", "Segmentation")


def test_a_changed_byte_is_an_error_or_changes_values_alone():
    """scipy 1.17 ends the process with a segmentation fault on some of these."""
    content = saved(np.arange(20, dtype=np.uint8).reshape(4, 5), compressed=False)
    for position in range(len(content)):
        for value in (0, 1, 0x7F, 0xFF):
            changed = content[:position] + bytes([value]) + content[position + 1 :]
            try:
                assert read_matrix(changed, "GTcls", "Segmentation").size == 20
            except ValueError:
                continue
