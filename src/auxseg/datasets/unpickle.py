"""A restricted reader of pickled `.npy` files: the field stores labels and CAMs as pickled dictionaries.

Unpickling a file normally runs whatever code the file names. This reader accepts only the names that numpy writes for
arrays and scalars, and torch for tensors. It replaces them by stand-ins, so not even their constructors run. It reads
files of numpy 1 (`numpy.core.multiarray`) and numpy 2 (`numpy._core.multiarray`), and of Python 2 and 3.
"""

import pickle
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np

from auxseg.datasets.torch_pickle import load_storage, rebuild
from auxseg.errors import DataError

_PLAIN = (str, int, float, bool, type(None), bytes)
_KINDS = "biufSU"
"""Kinds of data types for plain numbers or text."""


def load_object_npy(path: Path) -> Any:
    """Read a `.npy` file: the content of a pickled object array of shape (), or the array itself.

    Returns dictionaries, lists, tuples, str, int, float, bool, None and numeric numpy arrays, nested; torch tensors
    become arrays.

    Raises:
        DataError: the file is missing, is not a `.npy`, is damaged, or its pickle names anything but arrays.
    """
    try:
        with Path(path).open("rb") as stream:
            shape, dtype = _read_header(stream)
            if dtype != np.dtype(object):
                stream.seek(0)
                return np.load(stream, allow_pickle=False)
            loaded = _resolve(_Unpickler(stream, encoding="latin1").load())
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; add it, or correct the parameter that names it") from None
    except Exception as error:  # a damaged pickle can raise almost anything
        message = " ".join(str(error).split())
        raise DataError(f"{path}: not a readable .npy file ({message}); save it again with numpy.save") from None
    return loaded[()] if isinstance(loaded, np.ndarray) and shape == () else loaded


def _read_header(stream: BinaryIO) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    return shape, dtype


class _Unpickler(pickle.Unpickler):
    """Resolves the names of numpy's array pickles to stand-ins and rejects every other name."""

    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy._core", "numpy.core")
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise DataError(
                f"its pickle asks for {module}.{name}, which could run code; only dictionaries, lists, text, "
                "numbers and arrays are read: save it again as a plain dictionary"
            ) from None

    def persistent_load(self, pid: Any) -> Any:
        raise DataError("its pickle refers to objects outside the file; save it again as a plain dictionary")


class _DType:
    """Stands in for numpy.dtype(code, align, copy) and the state that follows it."""

    def __init__(self, code: str, *_: Any):
        self.dtype = np.dtype(str(code))
        if self.dtype.kind not in _KINDS + "O" or self.dtype.names:
            raise DataError(f"its pickle holds an array of type {code!r}; save numbers")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1]
        if order in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Stands in for an empty array from numpy's `_reconstruct`, filled by the state that follows."""

    def __init__(self, *_: Any):
        self.values: Any = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, content = state
        if isinstance(content, list):
            self.values = (tuple(shape), content)  # in C order also for a Fortran array
        else:
            content = content.encode("latin1") if isinstance(content, str) else content
            self.values = _from_bytes(content, dtype, shape, "F" if fortran else "C")


def _from_bytes(content: bytes, dtype: _DType, shape: tuple[int, ...], order: Literal["C", "F"]) -> np.ndarray:
    if dtype.dtype.kind == "O":
        raise DataError("its pickle holds pointers; save numbers")
    array: np.ndarray = np.frombuffer(bytes(content), dtype.dtype).reshape(shape, order=order)
    return array


def _scalar(dtype: _DType, content: bytes | str) -> Any:
    content = content.encode("latin1") if isinstance(content, str) else content
    return _from_bytes(content, dtype, (), "C").item()


def _encode(text: str, encoding: str) -> bytes:
    # how Python 3 writes bytes with the old pickle protocols
    if encoding != "latin1":
        raise DataError(f"its pickle asks for the encoding {encoding!r}; save it as a plain dictionary")
    return text.encode("latin1")


def _ndarray(*_: Any) -> Any:
    raise DataError("its pickle builds an array by a call; save it with numpy.save")


_ALLOWED = {
    ("numpy", "ndarray"): _ndarray,
    ("numpy", "dtype"): _DType,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy.core.numeric", "_frombuffer"): _from_bytes,
    ("_codecs", "encode"): _encode,
    ("torch._utils", "_rebuild_tensor_v2"): rebuild,
    ("torch.storage", "_load_from_bytes"): load_storage,
    ("collections", "OrderedDict"): dict,  # the hooks of a tensor, always empty
}


def _resolve(value: Any) -> Any:
    """Replace stand-ins by arrays, and reject everything that is not plain data."""
    if isinstance(value, _Array):
        if isinstance(value.values, np.ndarray):
            return value.values
        if value.values is None:
            raise DataError("its pickle ends inside an array; copy the file again")
        shape, content = value.values
        array = np.empty(len(content), object)
        array[:] = [_resolve(item) for item in content]
        return array.reshape(shape)
    if isinstance(value, dict):
        return {_resolve(key): _resolve(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_resolve(item) for item in value)
    if isinstance(value, (np.ndarray, *_PLAIN)):
        return value
    raise DataError(f"its pickle holds a {type(value).__name__}; save it as a plain dictionary")
