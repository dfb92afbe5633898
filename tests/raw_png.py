"""PNGs written by hand, byte by byte."""

import struct
import zlib

import numpy as np


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def raw_png(pixels: np.ndarray, colour_type: int, bits: int, *extra: bytes) -> bytes:
    """Write a PNG by hand: `pixels` uint8 or big-endian uint16, (H, W) or (H, W, channels), unpacked."""
    height, width = pixels.shape[:2]
    wire = pixels.astype(">u2" if bits == 16 else np.uint8)
    if bits < 8:
        each = np.unpackbits(wire[..., None], axis=-1)[..., 8 - bits :].reshape(height, -1)
        lines = [np.packbits(row).tobytes() for row in each]
    else:
        lines = [row.tobytes() for row in wire]
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + line for line in lines))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def header_of(png: bytes) -> tuple[int, int, int]:
    """Return bit depth, colour type and the number of palette entries, from the file's bytes."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n" and png[12:16] == b"IHDR"
    at, entries = 8, 0
    while at < len(png):
        (length,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        entries = length // 3 if kind == b"PLTE" else entries
        at += 12 + length
    return png[24], png[25], entries
