"""Torch tensors inside a pickle, as IRN saves them, read without torch and without running anything.

A tensor is pickled as a call of `torch._utils._rebuild_tensor_v2` on a storage, and the storage as the bytes of a
`torch.save` of the old format: five pickles (magic number, protocol, machine, storage type, keys), then for each key
the number of elements, int64, and the elements, little-endian.
"""

import math
from typing import Any

import numpy as np

from auxseg.datasets.plain_pickle import PlainUnpickler
from auxseg.errors import DataError

_TYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
_MAGIC = 0x1950A86A20F9469CFC6C


def load_storage(content: bytes) -> np.ndarray:
    """Return the elements of a pickled storage, one-dimensional.

    Raises:
        DataError: it is not a storage of plain numbers.
    """
    if not isinstance(content, bytes):
        raise DataError("its pickle holds a damaged torch tensor; save it as a numpy array")
    reader = _StorageUnpickler(content)
    magic, _protocol, _machine, dtype, _keys = (reader.load() for _ in range(5))
    if magic != _MAGIC or not isinstance(dtype, np.dtype):
        raise DataError("its pickle holds a damaged torch tensor; save it as a numpy array")
    count = int.from_bytes(reader.read(8), "little")
    return np.frombuffer(reader.read(-1), dtype)[:count]


def rebuild(storage: np.ndarray, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> np.ndarray:
    """Return the tensor on a storage as a new array.

    Raises:
        DataError: the tensor reaches beyond its storage, or repeats elements of it.
    """
    numbers = (offset, *size, *stride)
    plain = isinstance(storage, np.ndarray) and len(size) == len(stride)
    if not plain or not all(isinstance(number, int) and number >= 0 for number in numbers):
        raise DataError("its pickle holds a damaged torch tensor; save it as a numpy array")
    empty = math.prod(size) == 0
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if not empty and last >= len(storage):
        raise DataError("its pickle holds a torch tensor that reaches beyond its content; save it as a numpy array")
    if math.prod(size) > len(storage):
        raise DataError("its pickle holds an expanded torch tensor; save `tensor.contiguous()`, or a numpy array")
    if empty:
        return np.zeros(size, storage.dtype)
    steps = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps).copy()


class _StorageUnpickler(PlainUnpickler):
    """Knows only the names of torch's storage types. A persistent id describes the storage; only its type is used."""

    def find_class(self, module: str, name: str) -> np.dtype:
        if module != "torch" or name not in _TYPES:
            raise DataError(f"its pickle asks for {module}.{name}, which could run code; save numpy arrays")
        return np.dtype(_TYPES[name])

    def persistent_load(self, pid: Any) -> Any:
        return pid[1]
