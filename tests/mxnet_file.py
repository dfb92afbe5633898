"""MXNet's .params files, written by hand from the description of the format."""

import struct

TYPES = {"float32": 0, "float64": 1, "float16": 2, "uint8": 3, "int32": 4, "int8": 5, "int64": 6}
MAGIC = {1: 0xF993FAC8, 2: 0xF993FAC9, 3: 0xF993FACA}


def array_bytes(array, version, storage=0):
    """One array as MXNet writes it: magic, storage type, rank, sizes, device (cpu 0), element type, elements."""
    parts = []
    if version:
        parts.append(struct.pack("<I", MAGIC[version]))
    if version >= 2:
        parts.append(struct.pack("<i", storage))
    parts.append(struct.pack("<I", array.ndim))
    parts += [struct.pack("<q" if version else "<I", size) for size in array.shape]
    parts += [struct.pack("<ii", 1, 0), struct.pack("<i", TYPES[array.dtype.name]), array.tobytes()]
    return b"".join(parts)


def file_bytes(named, version=2):
    """A whole file: 0x112, reserved, arrays, names."""
    parts = [struct.pack("<QQQ", 0x112, 0, len(named))]
    parts += [array_bytes(array, version) for array in named.values()]
    parts.append(struct.pack("<Q", len(named)))
    parts += [struct.pack("<Q", len(name.encode())) + name.encode() for name in named]
    return b"".join(parts)
