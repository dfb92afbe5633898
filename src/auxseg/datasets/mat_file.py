"""One matrix of a struct in a MATLAB file of version 5, as SBD has its masks.

scipy's `loadmat` reads them too, but a damaged file can end its process with a segmentation fault. Here every length is
compared with what is there.

An element is a tag and its data: type and size, uint32 each, and data padded to 8 bytes; or, if it has at most 4 bytes,
size and type in one uint32 and the data in the next. A matrix is an element that consists of elements: flags, sizes,
name, then its values, or for a struct the length of the fields' names, the names and a matrix for each.
"""

import zlib
from typing import NamedTuple

import numpy as np

from auxseg.images import MAX_PIXELS

_INT8, _UINT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 2, 5, 6, 14, 15
_STRUCT_CLASS, _UINT8_CLASS = 2, 9
_HEADER = 128
_VERSION = b"\x00\x01IM"
"""Version 1.0 of the format, and the letters by which a little-endian file is known."""
_OTHERS = 2**20
"""Bytes that a file may have beside its pixels."""


class _Element(NamedTuple):
    kind: int
    data: bytes


def read_matrix(content: bytes, struct: str, field: str) -> np.ndarray:
    """Return the matrix `struct.field`, uint8 of two dimensions.

    Raises:
        ValueError: says what the file lacks or where it is damaged.
    """
    if content[_HEADER - 4 : _HEADER] != _VERSION:
        raise ValueError("not a MATLAB file of version 5")
    for element in _elements(content[_HEADER:]):
        if element.kind == _COMPRESSED:
            [element] = _elements(_expand(element.data))
        parts = _matrix(element)
        if parts[2].data.decode("ascii") == struct:
            return _values(_field(parts, field))
    raise ValueError(f"no '{struct}' in it")


def _elements(data: bytes) -> list[_Element]:
    found, at = [], 0
    while at < len(data):
        kind, size = (int(one) for one in np.frombuffer(data, "<u4", 2, at))
        start, step = at + 8, 8 + (size if kind == _COMPRESSED else -(-size // 8) * 8)
        small = kind >> 16
        if small:
            kind, size, start, step = kind & 0xFFFF, small, at + 4, 8
        if small > 4 or start + size > len(data):
            raise ValueError("an element reaches beyond its end")
        found.append(_Element(kind, data[start : start + size]))
        at += step
    return found


def _expand(data: bytes) -> bytes:
    reader = zlib.decompressobj()
    expanded = reader.decompress(data, MAX_PIXELS + _OTHERS)
    if not reader.eof:
        raise ValueError("its compressed data is cut off or too long")
    return expanded


def _matrix(element: _Element) -> list[_Element]:
    """Return the elements of a matrix; there are at least flags, sizes and a name."""
    parts = _elements(element.data) if element.kind == _MATRIX else []
    if len(parts) < 3 or [part.kind for part in parts[:3]] != [_UINT32, _INT32, _INT8] or len(parts[0].data) != 8:
        raise ValueError("an element is not a matrix")
    return parts


def _field(parts: list[_Element], field: str) -> _Element:
    if parts[0].data[0] != _STRUCT_CLASS or len(parts) < 5 or len(parts[3].data) != 4:
        raise ValueError("it is not a struct")
    length = int.from_bytes(parts[3].data, "little")
    if not 0 < length <= 64:
        raise ValueError("it is not a struct")
    names = [parts[4].data[at : at + length].rstrip(b"\0") for at in range(0, len(parts[4].data), length)]
    if field.encode() not in names or len(parts) != 5 + len(names):
        raise ValueError(f"no '{field}' in it")
    return parts[5 + names.index(field.encode())]


def _values(element: _Element) -> np.ndarray:
    parts = _matrix(element)
    sizes = np.frombuffer(parts[1].data, "<i4")
    if parts[0].data[0] != _UINT8_CLASS or len(parts) != 4 or parts[3].kind != _UINT8 or len(sizes) != 2:
        raise ValueError("it is not a matrix of uint8")
    height, width = (int(size) for size in sizes)
    if min(height, width) < 0 or height * width != len(parts[3].data):
        raise ValueError("its size is not that of its data")
    return np.frombuffer(parts[3].data, np.uint8).reshape(width, height).T
