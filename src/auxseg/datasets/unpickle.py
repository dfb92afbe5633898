"""A restricted reader of pickled `.npy` files: the field stores labels and CAMs as pickled dictionaries.

Unpickling a file normally runs whatever code the file names. This reader accepts only the names that numpy writes for
arrays and scalars, and torch for tensors. It replaces them by stand-ins, so not even their constructors run. It reads
files of numpy 1 (`numpy.core.multiarray`) and numpy 2 (`numpy._core.multiarray`), and of Python 2 and 3.
"""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from auxseg.datasets.npy_header import check_announced, read_npy_header
from auxseg.datasets.plain_pickle import PlainUnpickler, require_plain_keys
from auxseg.datasets.torch_pickle import load_storage, rebuild
from auxseg.errors import DataError
from auxseg.files import read_bytes

_PLAIN = (str, int, float, bool, type(None), bytes)
_KINDS = "biufSU"
"""Kinds of data types for plain numbers or text."""
MAX_VALUES = 2**24
"""Most values of all lists and dictionaries of a file, when lists that share lists are written out: a kilobyte of them
can stand for billions. COCO's labels as lists are 7 million."""


def load_object_npy(path: Path) -> Any:
    """Read a `.npy` file: the content of a pickled object array of shape (), or the array itself.

    Returns dictionaries, lists, tuples, str, int, float, bool, None and numeric numpy arrays, nested; torch tensors
    become arrays.

    Raises:
        DataError: the file is missing, is not a `.npy`, is damaged, or its pickle names anything but arrays.
    """
    try:
        content = read_bytes(path)
        stream = io.BytesIO(content)
        shape, dtype = read_npy_header(stream)
        if dtype != np.dtype(object):
            check_announced(shape, dtype, len(content))
            stream.seek(0)
            return np.load(stream, allow_pickle=False)
        loaded = _Resolver()(_Unpickler(content[stream.tell() :]).load())
    except DataError as error:
        raise DataError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; add it, or correct the parameter that names it") from None
    except Exception as error:  # a damaged pickle can raise almost anything
        message = " ".join(str(error).split())
        raise DataError(f"{path}: not a readable .npy file ({message}); save it again with numpy.save") from None
    return loaded[()] if isinstance(loaded, np.ndarray) and shape == () else loaded


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


class _Unpickler(PlainUnpickler):
    """Resolves the names of numpy's array pickles to stand-ins and rejects every other name."""

    filled = (_DType, _Array)

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


def _ordered(pairs: Any = ()) -> dict[Any, Any]:
    """Stand in for OrderedDict: the hooks of a tensor, or a dictionary whose items follow."""
    found = [tuple(pair) for pair in pairs]
    require_plain_keys([key for key, _ in found])
    return dict(found)


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
    ("collections", "OrderedDict"): _ordered,
}


class _Resolver:
    """Replaces stand-ins by arrays, and rejects everything that is not plain data. What is shared stays shared."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[Any, int]] = {}
        """By identity: the result, and its number of values when shared ones are written out."""

    def __call__(self, value: Any) -> Any:
        """Return a value without stand-ins.

        Raises:
            DataError: it is not plain data, contains itself, or has more than MAX_VALUES.
        """
        return self._resolved(value)[0]

    def _resolved(self, value: Any) -> tuple[Any, int]:
        if isinstance(value, _Array) and isinstance(value.values, np.ndarray):
            return value.values, 1
        if isinstance(value, (np.ndarray, *_PLAIN)):
            return value, 1
        if not isinstance(value, (_Array, dict, list, tuple)):
            raise DataError(f"its pickle holds a {type(value).__name__}; save it as a plain dictionary")
        if id(value) not in self._found:
            self._found[id(value)] = (None, -1)  # until it is known
            self._found[id(value)] = self._container(value)
        found = self._found[id(value)]
        if found[1] < 0:
            raise DataError("its pickle holds a list that contains itself; save it as a plain dictionary")
        return found

    def _container(self, value: Any) -> tuple[Any, int]:
        if isinstance(value, _Array):
            if value.values is None:
                raise DataError("its pickle ends inside an array; copy the file again")
            shape, content = value.values
            items, count = self._items(content)
            array = np.empty(len(items), object)
            array[:] = items
            return array.reshape(shape), count
        if isinstance(value, dict):
            items, count = self._items(value.values())
            return dict(zip(value, items, strict=True)), count
        items, count = self._items(value)
        return type(value)(items), count

    def _items(self, values: Iterable[Any]) -> tuple[list[Any], int]:
        items, count = [], 1
        for value in values:
            item, size = self._resolved(value)
            items.append(item)
            count += size
            if count > MAX_VALUES:
                raise DataError(f"its pickle stands for more than {MAX_VALUES} values; save the arrays themselves")
        return items, count
