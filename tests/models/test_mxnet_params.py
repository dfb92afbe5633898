"""MXNet's .params files, built by hand from the description of the format."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from mxnet_file import MAGIC, TYPES, array_bytes, file_bytes

from auxseg.errors import DataError
from auxseg.models.mxnet_params import read_mxnet_params

NAMED = {
    "arg:conv1a_weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    "aux:bn7_moving_var": np.array([0.5, -1.25, 3e-8], np.float16),
    "ids": np.array([[2**40, -1]], np.int64),
}


@pytest.mark.parametrize("version", [0, 1, 2, 3])
def test_every_version(tmp_path, version):
    path = tmp_path / "net.params"
    path.write_bytes(file_bytes(NAMED, version))
    found = read_mxnet_params(path)
    assert list(found) == list(NAMED)
    for name, array in NAMED.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_a_file_byte_by_byte(tmp_path):
    path = tmp_path / "net.params"
    path.write_bytes(
        bytes.fromhex(
            "1201000000000000"
            "0000000000000000"  # magic, reserved
            "0100000000000000"  # one array
            "c9fa93f9"
            "00000000"  # version 2, dense
            "02000000"
            "0100000000000000"
            "0200000000000000"  # rank 2, sizes 1 and 2
            "01000000"
            "00000000"
            "00000000"  # cpu 0, float32
            "0000803f"
            "000000c0"  # 1, -2
            "0100000000000000"
            "0100000000000000"
            "77"  # one name, of one byte: w
        )
    )
    found = read_mxnet_params(path)
    assert list(found) == ["w"]
    assert found["w"].tolist() == [[1.0, -2.0]]


@given(st.sampled_from([0, 1, 2, 3]), st.sampled_from(sorted(TYPES)), st.data())
def test_round_trip(tmp_path_factory, version, kind, data):
    array = data.draw(arrays.arrays(kind, arrays.array_shapes(max_dims=4, max_side=4)))
    path = tmp_path_factory.mktemp("mxnet") / "net.params"
    path.write_bytes(file_bytes({"w": array, "v": array[:1]}, version))
    found = read_mxnet_params(path)
    np.testing.assert_array_equal(found["w"], array)
    np.testing.assert_array_equal(found["v"], array[:1])


@pytest.mark.parametrize("version", [1, 2])
def test_an_array_without_content(tmp_path, version):
    """Rank 0 before version 3: nothing follows it, not even a device."""
    empty = struct.pack("<I", MAGIC[version]) + (struct.pack("<i", 0) if version == 2 else b"") + struct.pack("<I", 0)
    path = tmp_path / "net.params"
    path.write_bytes(struct.pack("<QQQ", 0x112, 0, 1) + empty + struct.pack("<QQ", 1, 1) + b"w")
    assert read_mxnet_params(path)["w"].size == 0


def test_a_scalar_of_version_3(tmp_path):
    path = tmp_path / "net.params"
    path.write_bytes(file_bytes({"w": np.array(7.0, np.float32)}, 3))
    assert read_mxnet_params(path)["w"] == 7


WHOLE = file_bytes(NAMED)


@given(st.integers(0, len(WHOLE) - 1))
def test_a_file_cut_anywhere_is_rejected(tmp_path_factory, length):
    path = tmp_path_factory.mktemp("mxnet") / "net.params"
    path.write_bytes(WHOLE[:length])
    with pytest.raises(DataError, match=r"net\.params: not an MXNet \.params file, or damaged"):
        read_mxnet_params(path)


SPARSE = struct.pack("<QQQ", 0x112, 0, 1) + array_bytes(np.zeros(2, np.float32), 2, storage=1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (WHOLE + b"\0", "1 bytes follow its end"),
        (b"\x93NUMPY" + WHOLE, "starts with .* instead of 0x112"),
        (struct.pack("<QQQ", 0x112, 0, 2**60), f"{2**60} entries announced"),
        (struct.pack("<QQQI", 0x112, 0, 1, 10**6), "an array of rank 1000000"),
        (
            file_bytes({"w": np.zeros(2, np.float32)}).replace(
                b"\1\0\0\0\0\0\0\0\0\0\0\0", b"\1\0\0\0\0\0\0\0\x63\0\0\0"
            ),
            "element type 99",
        ),
        (SPARSE, "contains a sparse array"),
    ],
)
def test_rejections(tmp_path, content, message):
    path = tmp_path / "net.params"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_mxnet_params(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.params: no such file"):
        read_mxnet_params(tmp_path / "nowhere.params")
