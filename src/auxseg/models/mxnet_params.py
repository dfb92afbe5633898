"""A reader for MXNet's `.params` files (mx.nd.save), without MXNet.

The format, all numbers little-endian: u64 0x112, u64 reserved; u64 count, then that many arrays; u64 count, then that
many names, each u64 length and bytes. An array is

    u32 magic, by version   0xF993FAC8 (1), 0xF993FAC9 (2), 0xF993FACA (3); any other value: version 0 and its rank
    i32 storage type        versions 2 and 3 only; 0 = dense, the only one read here
    u32 rank, i64 sizes     version 0: the rank was the magic, and sizes are u32
    i32, i32 device         in versions 0 to 2 nothing more follows after rank 0: the array is empty
    i32 element type        see ELEMENTS
    the elements, row by row
"""

import struct
from math import prod
from pathlib import Path

import numpy as np

from auxseg.errors import DataError
from auxseg.files import read_bytes

LIST_MAGIC = 0x112
VERSIONS = {0xF993FAC8: 1, 0xF993FAC9: 2, 0xF993FACA: 3}
ELEMENTS = {0: "<f4", 1: "<f8", 2: "<f2", 3: "u1", 4: "<i4", 5: "i1", 6: "<i8"}
MAX_RANK = 32


def read_mxnet_params(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a `.params` file by their names in the file (`arg:…` and `aux:…`).

    Raises:
        DataError: the file has another format, is truncated, or contains a sparse array.
    """
    reader = _Reader(path)
    magic, _ = reader.numbers("QQ")
    if magic != LIST_MAGIC:
        raise reader.rejection(f"starts with {magic:#x} instead of {LIST_MAGIC:#x}")
    arrays = [reader.array() for _ in range(reader.count())]
    names = [reader.text() for _ in range(reader.count())]
    if len(names) != len(arrays) or len(set(names)) != len(names):
        raise reader.rejection(f"{len(arrays)} arrays have {len(set(names))} names")
    if reader.left:
        raise reader.rejection(f"{reader.left} bytes follow its end")
    return dict(zip(names, arrays, strict=True))


class _Reader:
    def __init__(self, path: Path):
        self.path = path
        try:
            self.content = read_bytes(path)
        except FileNotFoundError:
            raise DataError(f"{path}: no such file; give the downloaded weights") from None
        self.at = 0

    @property
    def left(self) -> int:
        return len(self.content) - self.at

    def rejection(self, what: str) -> DataError:
        return DataError(f"{self.path}: not an MXNet .params file, or damaged: {what}; download it again")

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise self.rejection(f"truncated at byte {self.at}, {size} more expected")
        self.at += size
        return self.content[self.at - size : self.at]

    def numbers(self, format_: str) -> tuple[int, ...]:
        return struct.unpack(f"<{format_}", self.take(struct.calcsize(f"<{format_}")))

    def count(self) -> int:
        """Read a u64, a number of items of at least 4 bytes each."""
        (count,) = self.numbers("Q")
        if 4 * count > self.left:
            raise self.rejection(f"{count} entries announced at byte {self.at - 8}, more than fit in the file")
        return count

    def text(self) -> str:
        (length,) = self.numbers("Q")
        return self.take(length).decode("utf-8", errors="replace")

    def array(self) -> np.ndarray:
        (first,) = self.numbers("I")
        version = VERSIONS.get(first, 0)
        if version >= 2 and (storage := self.numbers("i")[0]) != 0:
            raise DataError(f"{self.path}: contains a sparse array (storage type {storage}); save it dense")
        rank = self.numbers("I")[0] if version else first
        if rank > MAX_RANK:
            raise self.rejection(f"an array of rank {rank} before byte {self.at}")
        sizes = self.numbers(f"{rank}{'q' if version else 'I'}")
        if rank == 0 and version < 3:
            return np.zeros(0, np.float32)
        _, _, element = self.numbers("iii")
        if element not in ELEMENTS or min(sizes, default=0) < 0:
            raise self.rejection(f"element type {element} and sizes {sizes} before byte {self.at}")
        kind = np.dtype(ELEMENTS[element])
        count = prod(sizes)
        # an array without elements may name sizes that no array can have
        if count * kind.itemsize > self.left or max(sizes, default=0) > len(self.content):
            raise self.rejection(f"an array of {count:.3g} elements before byte {self.at}, more than fit in the file")
        return np.frombuffer(self.take(count * kind.itemsize), kind).reshape(sizes)
