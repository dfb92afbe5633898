"""The restricted unpickler: numpy's own files of both majors are read, code is rejected."""

import os
import pickle
import pickletools

import numpy as np
import pytest

from auxseg.datasets.unpickle import load_object_npy
from auxseg.errors import DataError

TAGS = {
    "2007_000032": np.array([1, 0, 0, 1], np.float32),
    "2007_000039": np.array([0, 1, 0, 0], np.float32),
}


def npy_around(content: bytes) -> bytes:
    """Return a .npy file of an object array of shape () whose pickle is `content`."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"
    header += b" " * (64 - (10 + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content


def same(one, two):
    return sorted(one) == sorted(two) and all(np.array_equal(one[key], two[key]) for key in two)


def test_file_of_this_numpy(tmp_path):
    np.save(tmp_path / "a.npy", TAGS)
    loaded = load_object_npy(tmp_path / "a.npy")
    assert isinstance(loaded, dict)
    assert same(loaded, TAGS)
    assert loaded["2007_000032"].dtype == np.float32


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("numpy_major", [1, 2])
def test_every_protocol_and_both_majors(tmp_path, protocol, numpy_major):
    """numpy 1 names numpy.core, numpy 2 names numpy._core. Protocols before 4 have the length in no prefix."""
    content = pickle.dumps(np.array(TAGS, object), protocol=protocol)
    assert b"numpy._core" in content
    if numpy_major == 1:
        content = content.replace(b"numpy._core.", b"numpy.core.")
        for old, new in (
            ("numpy._core.multiarray", "numpy.core.multiarray"),
            ("numpy._core.numeric", "numpy.core.numeric"),
        ):
            content = content.replace(
                b"\x8c" + bytes([len(old)]) + new.encode(), b"\x8c" + bytes([len(new)]) + new.encode()
            )
        if protocol >= 4:  # frames carry their length, and ours has shrunk: an unframed pickle is as valid
            content = content[:2] + content[11:]
        pickletools.dis(content, out=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    (tmp_path / "a.npy").write_bytes(npy_around(content))
    assert same(load_object_npy(tmp_path / "a.npy"), TAGS)


def test_nested_values_and_scalars(tmp_path):
    value = {"a": [1, 2.5, "x", None, True], "b": np.float32(0.5), "c": np.array(["u", "v"]), 3: (np.int64(4),)}
    np.save(tmp_path / "a.npy", value)
    loaded = load_object_npy(tmp_path / "a.npy")
    assert loaded["a"] == value["a"]
    assert loaded["b"] == 0.5
    assert loaded["c"].tolist() == ["u", "v"]
    assert loaded[3] == (4,)


def test_object_array_with_a_shape_and_fortran_order(tmp_path):
    value = np.array([["a", 1], ["b", [2]], ["c", None]], dtype=object)
    for stored in (value, np.asfortranarray(value)):
        np.save(tmp_path / "a.npy", stored)
        assert load_object_npy(tmp_path / "a.npy").tolist() == value.tolist()
    numbers = np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3))
    np.save(tmp_path / "a.npy", {"x": numbers})
    assert load_object_npy(tmp_path / "a.npy")["x"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_plain_numbers_are_no_pickle(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3))
    assert load_object_npy(tmp_path / "a.npy").tolist() == [0, 1, 2]


class _Call:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize(
    "call",
    [
        _Call(os.system, "touch pwned"),
        _Call(eval, "open('pwned', 'w')"),
        _Call(getattr, {}, "keys"),
        _Call(np.load, "x.npy"),
        _Call(np.fromfile, "x.npy"),
    ],
)
def test_a_pickle_that_calls_anything_is_rejected_and_does_nothing(tmp_path, monkeypatch, call, protocol):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.npy").write_bytes(npy_around(pickle.dumps({"2007_000032": call}, protocol=protocol)))
    with pytest.raises(DataError, match=r"a\.npy: its pickle asks for .*could run code") as rejection:
        load_object_npy(tmp_path / "a.npy")
    assert "\n" not in str(rejection.value)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cnumpy\nndarray\n(I1000000000\ntR.",  # a call of ndarray itself
        b"c_codecs\nencode\n(Vabc\nVzlib\ntR.",  # a codec other than numpy's latin1
        b"cnumpy\ndtype\n(VO\ntR.",  # a type alone
        b"cnumpy.core.multiarray\n_reconstruct\n(tR.",  # an array that is never filled
        b"Pstorage\n.",  # a persistent id
        b"\x80\x04garbage",
        b"",
    ],
)
def test_malformed_pickles_are_rejected(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(npy_around(content))
    with pytest.raises(DataError, match=r"a\.npy: "):
        load_object_npy(tmp_path / "a.npy")


@pytest.mark.parametrize(("content", "message"), [(None, "no such file"), (b"PK\3\4", "not a readable .npy file")])
def test_missing_and_other_files(tmp_path, content, message):
    if content is not None:
        (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.npy: {message}"):
        load_object_npy(tmp_path / "a.npy")
